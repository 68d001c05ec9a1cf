"""Which container of a Compose service is which instance's, and what its instances share."""

from __future__ import annotations

import pytest

from poorwill.errors import Permanent
from poorwill.providers.docker import ports, replicas
from poorwill.providers.docker.group import Group
from poorwill.providers.docker.state import Seen, read

KEPT = frozenset({"cache"})


def seen(service: str, number: int = 1, status: str = "exited", **host: object) -> Seen:
    labels = {"com.docker.compose.service": service, replicas.NUMBER: str(number)}
    state = {"Status": status, "FinishedAt": f"2026-01-0{number}"}
    told = {"Id": f"{service}{number}", "State": state, "Config": {"Labels": labels}, "HostConfig": host}
    return read(told)


def project(*web: Seen) -> Group:
    services = {"web": web, "db": (seen("db", status="running"),), "cache": (seen("cache"),)}
    return Group("web", services, dict.fromkeys(services, ()), KEPT)


@pytest.mark.parametrize(
    ("numbers", "most", "whose"),
    [
        ([], 3, {}),
        ([1, 2, 3], 3, {1: 1, 2: 2, 3: 3}),
        ([1, 2, 3, 4, 5], 3, {1: 1, 2: 2, 3: 3, 4: 4, 5: 5}),
        ([1, 3, 4], 3, {1: 1, 3: 3, 4: 2}),
        ([4, 5, 3], 3, {3: 3, 4: 1, 5: 2}),
        ([7], 2, {7: 1}),
    ],
)
def test_numbers_that_compose_gave(numbers: list[int], most: int, whose: dict[int, int]) -> None:
    assert replicas.owners(numbers, most) == whose


@pytest.mark.parametrize(
    ("numbers", "instance", "count"),
    [([], 1, 1), ([], 3, 3), ([1], 2, 2), ([1, 3], 2, 3), ([1, 2, 3, 4], 3, 4), ([3], 1, 2), ([3], 2, 3)],
)
def test_how_many_there_must_be(numbers: list[int], instance: int, count: int) -> None:
    assert replicas.wanted(project(*(seen("web", number) for number in numbers)), instance, 3) == count


def test_what_is_shared_stays_while_another_needs_it() -> None:
    found = replicas.split(project(seen("web", 1, "running"), seen("web", 2)), "kb", 3, ())
    assert {name: set(group.sleeping) for name, group in found.items()} == {
        "kb-1": {"web", "db"},
        "kb-2": {"web"},
    }
    assert found["kb-2"].main == seen("web", 2)


@pytest.mark.parametrize("status", ["running", "restarting"])
def test_what_is_shared_stays_while_another_is_starting(status: str) -> None:
    found = replicas.split(project(seen("web", 1, status)), "kb", 3, ["kb-3"])
    assert set(found["kb-1"].sleeping) == {"web"}
    assert found["kb-3"].main is None


def test_what_all_left_over_is_put_away_once() -> None:
    found = replicas.last_of(replicas.split(project(seen("web", 1), seen("web", 2)), "kb", 3, ()))
    assert {name: group.holds for name, group in found.items()} == {"kb-1": False, "kb-2": True}


@pytest.mark.parametrize("port", ["", "0", "9000-9010"])
def test_ports_that_docker_chooses(port: str) -> None:
    ports.check(seen("web", PortBindings={"8000/tcp": [{"HostIp": "", "HostPort": port}]}))


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ({"PortBindings": {"80/tcp": [{"HostPort": "9000"}]}}, "publishes port 9000, and only one"),
        ({"NetworkMode": "host"}, "uses its host's network"),
    ],
)
def test_what_only_one_can_have(host: dict[str, object], message: str) -> None:
    with pytest.raises(Permanent, match=message) as raised:
        ports.check(seen("web", **host))
    assert "127.0.0.1::" in raised.value.hint
