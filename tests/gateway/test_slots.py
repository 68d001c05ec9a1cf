"""Envoy's own cap: what holds when nobody paces, and while the control plane is dead."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio
import pytest
from tests.gateway.real_envoy import STRAY, House, service
from tests.patience import PATIENCE

from poorwill.gateway.clusters import Slots, Upstream
from poorwill.gateway.routes import Site, virtual_hosts

IT = Site("it", hosts=("it.test",), patterns={"background": ("/tick",)})
HOST = {"host": "it.test"}


class Crowd:
    """How many were at work at once, at most."""

    def __init__(self) -> None:
        self.now = self.most = self.all = 0

    async def work(self) -> None:
        self.now += 1
        self.all += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.02)
        self.now -= 1

    async def answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.work()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")


async def ask(house: House, count: int) -> list[Any]:
    async with house.visitor() as client:
        return await asyncio.gather(*(client.post(f"/{number}", headers=HOST) for number in range(count)))


@pytest.mark.parametrize(("limit", "many"), [(1, False), (3, False), (3, True)])
async def test_the_cap_is_exact(house: House, limit: int, many: bool) -> None:
    crowd = Crowd()
    await house.start(IT, upstreams={"it": Upstream(slots=Slots(limit), many=many)})
    async with service(crowd.answer) as address:
        await house.opened("it", address)
        assert [one.status_code for one in await ask(house, 40)] == [200] * 40
    assert crowd.most == limit


async def test_it_is_counted_at_each_instance(house: House) -> None:
    one, other = Crowd(), Crowd()
    await house.start(IT, upstreams={"it": Upstream(slots=Slots(2))})
    async with service(one.answer) as first, service(other.answer) as second:
        await house.opened("it", first, second)
        assert house.switchboard.room("it") == 4
        assert [answer.status_code for answer in await ask(house, 40)] == [200] * 40
    assert (one.most, other.most) == (2, 2)


async def test_background_traffic_never_counts(house: House) -> None:
    crowd = Crowd()
    await house.start(IT, upstreams={"it": Upstream(slots=Slots(1))})
    async with service(crowd.answer) as address, house.visitor() as client:
        await house.opened("it", address)
        ticks = (client.get("/tick", headers=HOST) for _ in range(5))
        assert {answer.status_code for answer in await asyncio.gather(*ticks)} == {200}
    assert crowd.most > 1


async def test_too_many_for_envoy_itself_are_told_when_to_come_again(house: House) -> None:
    crowd = Crowd()
    await house.start(IT, upstreams={"it": Upstream(slots=Slots(1, queue=3))})
    async with service(crowd.answer) as address:
        await house.opened("it", address)
        answers = await ask(house, 20)
    refused = [one for one in answers if one.status_code == 503]
    assert len(refused) + crowd.all == 20
    assert crowd.all >= 3  # the first one waits too while Envoy connects
    assert refused
    for one in refused:
        assert one.headers["retry-after"] == "5"
        assert one.json()["error"]["code"] == "too_many_waiting"


@pytest.mark.parametrize(("limit", "many"), [(1, False), (3, False), (3, True)])
async def test_the_cap_is_exact_for_http2_and_nobody_is_refused(house: House, limit: int, many: bool) -> None:
    crowd = Crowd()

    async def say(request: bytes, _context: Any) -> bytes:
        await crowd.work()
        return request

    server = grpc.aio.server()
    handlers = {"Say": grpc.unary_unary_rpc_method_handler(say)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo.Echo", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await house.start(IT, upstreams={"it": Upstream(http2=True, slots=Slots(limit), many=many)})
    await house.opened("it", ("127.0.0.1", port))
    options = [("grpc.default_authority", "it.test")]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{house.port}", options) as channel:
        echo = channel.unary_unary("/echo.Echo/Say")
        assert await asyncio.gather(*(echo(b"x", timeout=PATIENCE) for _ in range(40))) == [b"x"] * 40
    assert crowd.most == limit
    await server.stop(None)


async def test_a_paced_service_is_open_and_yet_asks(house: House) -> None:
    await house.start(IT, upstreams={"it": Upstream(slots=Slots(1))})
    async with service() as address, house.visitor() as client:
        await house.opened("it", address)
        before = house.switchboard.gate("it")
        for on, checks in ((True, 1), (False, 1), (True, 2)):
            house.switchboard.pace("it", on)
            await house.settled()
            await client.post("/", headers={**HOST, "prefer": "wait=0"})
            assert house.doors["it"].checks == checks
            assert (await client.get("/tick", headers=HOST)).status_code == 200
            assert house.switchboard.gate("it") == before, "to the control room nothing happened"
        house.switchboard.close("it")
        await house.settled()
        assert not house.switchboard.paced("it")


def clusters(site: Site, *, is_open: bool) -> dict[str, tuple[str, bool]]:
    """Route → its cluster, and whether the gate is asked."""
    opened = frozenset({site.service} if is_open else ())
    [everything] = virtual_hosts([site], opened, STRAY)
    found = {}
    for route in everything["routes"]:
        if route.get("route", {}).get("cluster", "").startswith("it/"):
            match = route["match"]
            path = match.get("path") or match.get("prefix") or match["safe_regex"]["regex"]
            asks = "disabled" not in str(route["typed_per_filter_config"])
            found[path] = route["route"]["cluster"], asks
    return found


PATTERNS = {"background": ("/tick",), "busy": ("/index",)}


def test_without_paths_all_but_the_background_share_the_slots() -> None:
    site = Site("it", patterns=PATTERNS, slots=Slots(1, busy=True), paced=True)
    assert clusters(site, is_open=True) == {
        "/tick": ("it/background", False),
        "/index": ("it/slots/busy", True),
        "/": ("it/slots/busy", True),
    }


def test_with_paths_only_these_need_a_slot() -> None:
    site = Site("it", patterns=PATTERNS, slots=Slots(1, ("/join", "/index"), busy=True), paced=True)
    assert clusters(site, is_open=True) == {
        "/tick": ("it/background", False),
        "/join": ("it/slots/busy", True),
        "/index": ("it/slots/busy", True),
        "/": ("it/active", False),
    }
    assert all(asks for _, asks in clusters(site, is_open=False).values())
