"""Who wakes nothing and who does, as a real Envoy recognises them: a scanner's day, asleep and awake."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from tests.gateway.real_envoy import House, service
from tests.patience import PATIENCE

from poorwill.gateway.bystanders import Answer, Bystanders, Kind
from poorwill.gateway.routes import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Ask:
    """One request as it goes over the wire."""

    who: str
    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1

    def head(self, host: str) -> bytes:
        lines = [
            f"{self.method} {self.target} HTTP/1.1",
            f"host: {host}",
            "connection: close",
            "content-length: 0",
        ]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()


def asks(file: str) -> list[Ask]:
    return list(_read(file))


def _read(file: str) -> Iterator[Ask]:
    for caller in tomllib.loads((DATA / file).read_text())["caller"]:
        named = {"user-agent": caller["agent"]} if "agent" in caller else {}
        for request in caller["requests"]:
            method, target = request.split(" ", 1)
            headers = {**named, **caller.get("headers", {})}
            yield Ask(caller["name"], method, target, headers, caller.get("times", 1))


async def status(port: int, ask: Ask, host: str = "it.test") -> int:
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ask.head(host))
        answer = await reader.readuntil(b"\r\n")
        writer.close()
    return int(answer.split(b" ", 2)[1])


SITES = (
    Site("it", hosts=("it.test",)),
    Site(
        "own",
        hosts=("own.test",),
        bystanders=Bystanders(
            also={Kind.MONITOR: ("MyMonitor/",), Kind.CRAWLER: ("MyCrawler",), Kind.NUISANCE: ("/old/**",)},
            welcome=("Googlebot", "/xmlrpc.php", "/wp-*/**"),
        ),
    ),
    Site("anybody", hosts=("anybody.test",), bystanders=Bystanders(dict.fromkeys(Kind, Answer.WAKE))),
    Site(
        "strict",
        hosts=("strict.test",),
        bystanders=Bystanders({Kind.MONITOR: Answer.UNAVAILABLE, Kind.HEALTH_CHECK: Answer.UNAVAILABLE}),
    ),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    await made.start(*SITES)
    for door in made.doors.values():
        door.hold = 0.0  # who is held is told at once, and has asked all the same
    yield made
    await made.stop()


def asked(house: House, name: str) -> bool:
    """Whether somebody asked for it since this was asked last."""
    door = house.doors[name]
    before, door.last_asked_at = door.last_asked_at, None
    return before is not None


async def test_a_scanners_day_wakes_nothing(house: House) -> None:
    woke, count = [], 0
    for ask in asks("scanner_day.toml"):
        for _ in range(ask.times):
            code = await status(house.port, ask)
            assert code in (200, 400, 403, 404, 503), ask
            count += 1
        if asked(house, "it"):
            woke.append(ask)
    assert woke == [], f"{len(woke)} of {count}"
    assert count > 600, "it is a whole day"


@pytest.mark.parametrize("ask", asks("welcome.toml"), ids=lambda ask: f"{ask.who}: {ask.method} {ask.target}")
async def test_who_wants_it_wakes_it(house: House, ask: Ask) -> None:
    assert await status(house.port, ask) == 503
    assert asked(house, "it"), ask


@pytest.mark.parametrize(
    ("host", "agent", "method", "target", "code", "wakes"),
    [
        ("it", "UptimeRobot/2.0", "GET", "/", 200, False),
        ("it", "kube-probe/1.31", "GET", "/", 200, False),
        ("strict", "UptimeRobot/2.0", "GET", "/", 503, False),
        ("strict", "kube-probe/1.31", "GET", "/", 503, False),
        ("anybody", "UptimeRobot/2.0", "GET", "/", 503, True),
        ("anybody", "Mozilla/5.0 zgrab/0.x", "GET", "/", 503, True),
        ("anybody", "curl/8", "GET", "/favicon.ico", 503, True),
        ("own", "MyMonitor/3", "GET", "/", 200, False),
        ("it", "MyMonitor/3", "GET", "/", 503, True),
        ("own", "mycrawler (x)", "GET", "/", 503, False),
        ("own", "curl/8", "GET", "/old/page?x", 503, False),
        ("it", "curl/8", "GET", "/old/page?x", 503, True),
        ("own", "compatible; Googlebot/2.1", "GET", "/", 503, True),
        ("own", "curl/8", "POST", "/xmlrpc.php", 503, True),
        ("own", "curl/8", "GET", "/wp-content/x.css", 503, True),
        ("own", "curl/8", "GET", "/wp-login.php", 503, False),
        ("own", "compatible; bingbot/2.0", "GET", "/", 503, False),
    ],
)
async def test_what_a_service_says_about_them(
    house: House, host: str, agent: str, method: str, target: str, code: int, wakes: bool
) -> None:
    ask = Ask(agent, method, target, {"user-agent": agent, "accept": "*/*"})
    assert await status(house.port, ask, f"{host}.test") == code
    assert asked(house, host) is wakes


async def test_a_monitor_is_told_when_all_is_not_well(house: House) -> None:
    ask = Ask("it", "GET", "/", {"user-agent": "Uptime-Kuma/1.23"})
    door = house.doors["it"]
    door.trouble = True
    assert await status(house.port, ask) == 503
    door.trouble, door.known = False, False
    assert await status(house.port, ask) == 503
    door.known = True
    assert await status(house.port, ask) == 200
    assert not asked(house, "it")


async def test_awake_they_reach_it_and_count_for_nothing(house: House) -> None:
    async def counted(kind: str) -> int:
        stats = await house.admin.stats(rf"^cluster\.it/{kind}\.upstream_rq_total$")
        return sum(int(value) for value in stats.values())

    async with service() as address:
        await house.opened("it", address)
        day = asks("scanner_day.toml")
        for ask in day:
            await status(house.port, ask)
        assert await counted("active") + await counted("busy") == 0
        assert await counted("background") > 0.9 * len(day), "what Envoy refuses by itself aside"
        for ask in asks("welcome.toml"):
            assert await status(house.port, ask) == 200
        assert await counted("active") == len(asks("welcome.toml"))
    house.switchboard.close("it")
    house.routed("it")
    await house.settled()
