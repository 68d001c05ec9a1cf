"""Several instances of one service: they come with the load and go with it, and no visitor notices."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until
from tests.acceptance.stories import Story, Told, name_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

OUT = {"metric": "concurrency", "threshold": 3, "duration": "1s", "action": "add_instance(1)"}
IN = {"metric": "concurrency", "threshold": 1, "duration": "1s", "action": "remove_instance(1)"}


def scaled(folder: Path, *options: str, policy: Json, **settings: Any) -> dict[str, Json]:
    """Each instance keeps a journal of its own."""
    made = service(folder, "it", *options, **{"idle_after": "60s", "scale_policy": policy, **settings})
    words = made["run"]["process"]["command"]
    words[words.index("--journal") + 1] = str(folder / "{instance}.journal")
    return {"it": made}


def seen(gateway: Up, number: int) -> list[str]:
    return gateway.seen(f"it-{number}")


def trampled(gateway: Up) -> list[str]:
    return [line for number in (1, 2, 3) for line in seen(gateway, number) if "TRAMPLED" in line]


async def there(gateway: Up) -> list[Json]:
    return [one for one in (await gateway.status("it"))["instances"] if one["condition"] != "absent"]


async def until_there(gateway: Up, count: int) -> list[Json]:
    """Wait until so many instances are there, and all of them awake."""

    async def counted() -> list[Json]:
        found = await there(gateway)
        return found if len(found) == count and all(one["phase"] == "awake" for one in found) else []

    found: list[Json] = await until(counted, f"{count} instances are awake", every=0.05)
    return found


def asking(gateway: Up, count: int, path: str = "/?seconds=0.2") -> list[asyncio.Task[Json]]:
    client = gateway.client()

    async def ask(number: int) -> Json:
        answer = await client.post(path, headers=host("it"), content=b"x" * number)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        assert found["length"] == number
        return found

    return [asyncio.create_task(ask(number)) for number in range(count)]


class Crowd:
    """So many visitors who ask again as soon as they are answered, until they are told to go."""

    def __init__(self, gateway: Up, count: int, path: str = "/?seconds=0.4") -> None:
        self._gateway, self._path = gateway, path
        self._stay = True
        self.served: Counter[int] = Counter()
        self._tasks = [asyncio.create_task(self._visit()) for _ in range(count)]

    async def _visit(self) -> None:
        client = self._gateway.client()
        while self._stay:
            answer = await client.get(self._path, headers=host("it"))
            assert answer.status_code == 200, answer.text
            self.served[answer.json()["pid"]] += 1

    async def go(self) -> None:
        """They end what they began; raises what went wrong for any of them."""
        self._stay = False
        await asyncio.gather(*self._tasks)


async def a_burst_at_a_sleeping_service_starts_as_many_as_it_needs(up: Start, tmp_path: Path) -> None:
    policy = {"max_instances": 3, "target": {"concurrency": 4}}
    gateway = await up(scaled(tmp_path, "--startup", "1", "--slots", "4", policy=policy, concurrency=4))
    pids = Counter(found["pid"] for found in await asyncio.gather(*asking(gateway, 60, "/?seconds=0.5")))
    assert len(pids) == 3, "all three took part"
    assert trampled(gateway) == []
    assert len(gateway.events("it", "start")) == 3
    assert [event["instance"] for event in gateway.events("it", "ready")].count("it-2") == 1
    words = (await gateway.cli("status")).out
    assert "3 of 3" in words
    assert "it-2" in words


async def they_come_and_go_with_the_load_and_nobody_notices(up: Start, tmp_path: Path) -> None:
    policy = {"max_instances": 2, "scale_out": OUT, "scale_in": IN}
    gateway = await up(scaled(tmp_path, policy=policy))
    crowd = Crowd(gateway, 5)
    both = await until_there(gateway, 2)
    assert {one["in_flight"] >= 0 for one in both} == {True}
    before = Counter(crowd.served)
    await until(lambda: len(crowd.served - before) == 2, "the second takes its share")
    why = (await gateway.status("it"))["reason"]
    assert "concurrency" in why
    assert "1 → 2 instances" in why
    client = gateway.client()
    streams = [
        await client.send(
            client.build_request("GET", "/sse?every=0.1&count=100", headers=host("it")), stream=True
        )
        for _ in range(2)
    ]
    await crowd.go()
    await until(lambda: _leaves(gateway), "one is taken out", every=0.02)
    lines = [
        len([line async for line in stream.aiter_lines() if line.startswith("data")]) for stream in streams
    ]
    assert lines == [100, 100], "what was open when it was to go went on to its end"
    await until_there(gateway, 1)
    assert [event["kind"] for event in gateway.events("it", "crashed", "failed")] == []


async def _leaves(gateway: Up) -> bool:
    return any(one["phase"] == "draining" for one in await there(gateway))


async def the_control_plane_dies_and_all_of_them_serve_on(up: Start, tmp_path: Path) -> None:
    policy = {"min_instances": 3, "max_instances": 3}
    gateway = await up(scaled(tmp_path, "--slots", "4", policy=policy, concurrency=4))
    crowd = Crowd(gateway, 3)  # none can be full by them: who meets a full one would wait at the gate
    before = {process.pid for process in await _three(gateway)}
    await until(lambda: _unasked(gateway), "nobody has to wait for a slot any more")
    gateway.kill9()
    served = crowd.served.total()
    await until(lambda: crowd.served.total() > served + 30, "they are served without a control plane")
    await gateway.start()
    await until_there(gateway, 3)
    await crowd.go()
    assert {process.pid for process in gateway.children("it")} >= before
    assert len(gateway.events("it", "start")) == 3
    assert trampled(gateway) == []


async def _unasked(gateway: Up) -> bool:
    """Whether Envoy has let visitors in for a while without asking."""
    before = (await gateway.status("it"))["checks"]
    await asyncio.sleep(0.3)
    return bool((await gateway.status("it"))["checks"] == before)


async def _three(gateway: Up) -> list[psutil.Process]:
    await until_there(gateway, 3)
    return gateway.children("it")


async def one_of_them_crashes_and_comes_back(up: Start, tmp_path: Path) -> None:
    policy = {"min_instances": 2, "max_instances": 2}
    gateway = await up(scaled(tmp_path, policy=policy))
    await until_there(gateway, 2)
    crowd = Crowd(gateway, 4, "/?seconds=0.02")
    await until(lambda: len(crowd.served) == 2, "both are asked")
    victim = next(iter(crowd.served))
    psutil.Process(victim).kill()
    await until(lambda: len(crowd.served) == 3, "another takes its place")
    await crowd.go()
    assert (await gateway.status("it"))["phase"] == "awake"
    assert len(gateway.events("it", "crashed")) == 1
    assert "draining" not in {event["detail"].get("phase") for event in gateway.events("it", "phase")}


async def one_that_never_gets_ready_does_not_touch_the_others(up: Start, tmp_path: Path) -> None:
    policy = {"max_instances": 2, "scale_out": OUT, "scale_in": IN}
    services = scaled(tmp_path, policy=policy, ready={"path": "/ready", "timeout": "2s"})
    gateway = await up(services)
    crowd = Crowd(gateway, 1)
    await until_there(gateway, 1)
    (tmp_path / "it-2.journal").mkdir()  # the second ends at its first line
    busy = Crowd(gateway, 5)
    await until(lambda: len(gateway.events("it", "failed")) >= 2, "it is tried again")
    assert (await gateway.status("it"))["phase"] == "awake"
    (first,) = [one for one in await there(gateway) if one["phase"] == "awake"]
    assert first["id"] == "it-1"
    await crowd.go()
    await busy.go()


async def fewer_are_allowed_from_now_on(up: Start, tmp_path: Path) -> None:
    policy = {"min_instances": 3, "max_instances": 3}
    gateway = await up(scaled(tmp_path, policy=policy))
    await until_there(gateway, 3)
    crowd = Crowd(gateway, 3)
    gateway.services["it"]["scale_policy"] = {"min_instances": 1, "max_instances": 1}
    gateway.write()
    await gateway.post("/api/v1/reload")
    (left,) = await until_there(gateway, 1)
    await crowd.go()
    assert left["id"] == "it-1"


async def a_visitor_with_a_session_keeps_the_instance_until_the_session_rests(
    up: Start, tmp_path: Path
) -> None:
    policy = {"max_instances": 2, "scale_out": OUT, "scale_in": IN}
    gateway = await up(scaled(tmp_path, policy=policy, sticky=True, idle_after="6s"))
    crowd = Crowd(gateway, 5)
    await until_there(gateway, 2)
    await crowd.go()
    visitors = {visitor: await _pid(visitor) for visitor in (gateway.client() for _ in range(10))}
    assert len(set(visitors.values())) == 2, "new visitors go to both"
    await until(lambda: _leaves(gateway), "one is to go", every=0.02)
    marks = {process.pid: process.environ()["POORWILL_INSTANCE"] for process in gateway.children("it")}
    first = {pid for pid, mark in marks.items() if mark.endswith("/it-1")}
    guest = next(visitor for visitor, pid in visitors.items() if pid not in first)
    for _ in range(40):  # eight seconds: longer than idle_after
        assert await _pid(guest) == visitors[guest], "it has the session in its memory"
        assert await _pid(gateway.client()) in first, "nobody new goes there"
        await asyncio.sleep(0.2)
    others = Crowd(gateway, 1)
    (left,) = await until_there(gateway, 1)
    await others.go()
    assert left["id"] == "it-1"
    assert await _pid(guest) in first, "who comes back later is served all the same"


async def _pid(client: httpx2.AsyncClient) -> int:
    answer = await client.get("/", headers=host("it"))
    assert answer.status_code == 200
    return int(answer.json()["pid"])


STORIES: list[Story] = [
    a_burst_at_a_sleeping_service_starts_as_many_as_it_needs,
    they_come_and_go_with_the_load_and_nobody_notices,
    the_control_plane_dies_and_all_of_them_serve_on,
    one_of_them_crashes_and_comes_back,
    one_that_never_gets_ready_does_not_touch_the_others,
    fewer_are_allowed_from_now_on,
    a_visitor_with_a_session_keeps_the_instance_until_the_session_rests,
]


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, apart: Told) -> None:
    await apart[story.__name__]
