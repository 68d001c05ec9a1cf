"""What a real Envoy counts, as readings for the rules about load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.gateway.real_envoy import House, service, until

from poorwill import clock
from poorwill.core.load import Reading
from poorwill.gateway import readings as module
from poorwill.gateway.clusters import Slots, Upstream
from poorwill.gateway.doors import Stood
from poorwill.gateway.readings import Readings
from poorwill.gateway.routes import Site
from poorwill.gateway.slots import Pacer

NAME = "my-svc"
SITE = Site(NAME, patterns={"busy": ("/work",), "background": ("/heartbeat/*",)})
HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n"


class Service:
    """Does with the next request what the list says."""

    def __init__(self) -> None:
        self.deeds: list[str] = []
        self.go_on = asyncio.Event()

    async def answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self.deeds.pop(0):
            case "answer":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
            case "slow":
                await asyncio.sleep(0.2)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
            case "fail":
                writer.write(b"HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno")
            case "hang up":
                writer.close()
            case "stream":
                writer.write(HEAD + b"2\r\nhi\r\n")
                await writer.drain()
                await self.go_on.wait()
                writer.write(b"0\r\n\r\n")
            case "websocket":
                head = (
                    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
                )
                writer.write(head)
                await writer.drain()
                await self.go_on.wait()
                writer.close()


@pytest.fixture
async def behind() -> Service:
    return Service()


@pytest.fixture
async def readings(house: House, behind: Service, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Readings]:
    monkeypatch.setattr(module, "EVERY", 0.05)
    await house.start(SITE)
    gauges = {"cpu": 12.5}
    made = Readings(house.admin, house.doors, lambda _: (gauges, {"gone": "why"}), lambda _: None)
    made.keep({NAME: 60.0})
    run = asyncio.create_task(made.run())
    async with service(behind.answer) as address:
        await house.opened(NAME, address)
        house.switchboard.open(NAME)
        made.follow(NAME, True)
        await until(lambda: made.load(NAME).readings, "a first reading")
        yield made
        behind.go_on.set()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


def total(readings: Readings) -> Reading:
    """All readings put together, with the levels of the last."""
    all_of_them = readings.load(NAME).readings
    last = all_of_them[-1]
    begun, ended, errors = (
        sum(getattr(one, key) for one in all_of_them) for key in ("begun", "ended", "errors")
    )
    spread: dict[float, int] = {}
    for bound, count in (row for one in all_of_them for row in one.took):
        spread[bound] = spread.get(bound, 0) + count
    seconds, took = sum(one.seconds for one in all_of_them), tuple(sorted(spread.items()))
    return Reading(
        last.at, 0.0, begun, ended, errors, seconds, took, last.open, last.queued, last.held, last.gauges
    )


async def settled(readings: Readings) -> Reading:
    """All that was done before now: Envoy tells latencies up to half a second later."""
    then = clock.now().mono + 0.7
    await until(lambda: readings.load(NAME).readings[-1].at > then, "readings")
    return total(readings)


async def test_requests_answers_and_errors(house: House, readings: Readings, behind: Service) -> None:
    behind.deeds = ["answer", "slow", "slow", "fail", "hang up"]
    async with house.visitor() as client:
        codes = [(await client.post("/")).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 500, 503]
    seen = await settled(readings)
    assert (seen.begun, seen.ended, seen.errors) == (5, 5, 2)
    assert seen.timed == 4, "an answer that never came took no time"
    assert 0.4 < seen.seconds < 2.0
    assert sum(count for bound, count in seen.took if bound >= 0.2) >= 2
    assert (seen.open, seen.queued, seen.held) == (0, 0, 0)
    assert seen.gauges == {"cpu": 12.5}
    assert readings.load(NAME).troubles == {"gone": "why"}


async def test_streams_count_to_their_end_and_background_not_at_all(
    house: House, readings: Readings, behind: Service
) -> None:
    behind.deeds = ["stream", "stream", "answer"]
    async with house.visitor() as client, client.stream("GET", "/work"):
        async with client.stream("GET", "/chat"):
            await until(lambda: readings.load(NAME).readings[-1].open == 2, "both are open")
            await client.get("/heartbeat/1")
            begun = await settled(readings)
            assert (begun.begun, begun.timed) == (2, 0)
        behind.go_on.set()  # the visitor of /chat has left
        await until(lambda: readings.load(NAME).readings[-1].open == 0, "over")
        seen = await settled(readings)
    assert seen.timed == 1, "of the one that its visitor left nobody knows how long it would have been"
    assert seen.seconds > 0.6


async def test_a_websocket_is_open_and_takes_no_time(
    house: House, readings: Readings, behind: Service
) -> None:
    behind.deeds = ["websocket"]
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
    assert b"101" in await reader.readline()
    await until(lambda: readings.load(NAME).readings[-1].open == 1, "open")
    behind.go_on.set()
    await until(lambda: readings.load(NAME).readings[-1].open == 0, "over")
    writer.close()
    seen = await settled(readings)
    assert (seen.begun, seen.timed, seen.seconds) == (1, 0, 0.0)


async def test_time_held_while_it_wakes_is_not_the_services(
    house: House, readings: Readings, behind: Service
) -> None:
    behind.deeds = ["answer"]
    door = house.doors[NAME]
    house.switchboard.close(NAME)
    await house.settled()
    async with house.visitor() as client:
        asked = asyncio.create_task(client.get("/"))
        await until(lambda: readings.load(NAME).readings[-1].held == 1, "held")
        assert (await settled(readings)).begun == 0
        door.let_through(True)
        assert (await asked).status_code == 200
    seen = await settled(readings)
    assert (seen.begun, seen.held, seen.timed) == (1, 0, 1)
    assert seen.seconds < 0.3
    assert door.stood == Stood(0, 0.0)


async def test_time_in_the_line_for_a_slot_counts(
    house: House, behind: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.05)
    behind.deeds = ["stream", "stream", "answer", "answer", "answer"]
    await house.start(SITE, upstreams={NAME: Upstream(slots=Slots(1))})
    door = house.doors[NAME]
    pacer = Pacer(house.doors, house.switchboard, house.admin)
    door.on_line = pacer.look
    made = Readings(house.admin, house.doors, lambda _: ({}, {}), lambda _: None)
    made.keep({NAME: 60.0})
    running = [asyncio.create_task(work) for work in (pacer.run(), made.run())]
    async with service(behind.answer) as address, house.visitor() as client:
        await house.opened(NAME, address)
        door.let_through(True)
        made.follow(NAME, True)
        await until(lambda: made.load(NAME).readings, "a first reading")
        asked = [asyncio.create_task(client.post("/")) for _ in range(2)]
        await until(lambda: house.switchboard.paced(NAME), "one is served, one waits in Envoy")
        await house.settled()
        asked += [asyncio.create_task(client.post("/")) for _ in range(3)]
        await until(lambda: len(door.line) == 3, "three stand in the line")
        came = clock.now().mono
        await until(lambda: made.load(NAME).readings[-1].at > came + 0.5, "a reading")
        last = made.load(NAME).readings[-1]
        assert (last.queued, last.held) == (4, 0)
        assert total(made).begun == 5
        behind.go_on.set()
        assert [(await one).status_code for one in asked] == [200] * 5
        assert door.stood.count == 3
        seen = await settled(made)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert (seen.begun, seen.ended, seen.timed, seen.queued) == (5, 5, 5, 0)
    assert seen.seconds > door.stood.seconds > 1.5
    assert sum(count for bound, count in seen.took if bound > 0.5) >= 3, "which of the five is a guess"


async def test_who_gives_up_in_a_line_has_come_all_the_same(
    house: House, behind: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Envoy's own line or in that at the door."""
    monkeypatch.setattr(module, "EVERY", 0.05)
    behind.deeds = ["stream", *["answer"] * 9]
    await house.start(SITE, upstreams={NAME: Upstream(slots=Slots(1))})
    door = house.doors[NAME]
    pacer = Pacer(house.doors, house.switchboard, house.admin)
    door.on_line = pacer.look
    made = Readings(house.admin, house.doors, lambda _: ({}, {}), lambda _: None)
    made.keep({NAME: 60.0})
    running = [asyncio.create_task(work) for work in (pacer.run(), made.run())]
    async with service(behind.answer) as address, house.visitor() as client:
        await house.opened(NAME, address)
        door.let_through(True)
        made.follow(NAME, True)
        await until(lambda: made.load(NAME).readings, "a first reading")
        served = asyncio.create_task(client.post("/"))
        await until(lambda: made.load(NAME).readings[-1].open == 1, "one is served")
        queued = asyncio.create_task(client.post("/"))
        await until(lambda: house.switchboard.paced(NAME), "one waits in Envoy")
        await house.settled()
        lined = [asyncio.create_task(client.post("/")) for _ in range(2)]
        await until(lambda: made.load(NAME).readings[-1].queued == 3, "and two stand in the line")
        for one in (queued, lined[0]):
            one.cancel()
        await until(lambda: made.load(NAME).readings[-1].queued == 1, "two have left")
        behind.go_on.set()
        late = asyncio.create_task(client.post("/"))
        assert [(await one).status_code for one in (served, lined[1], late)] == [200] * 3
        seen = await settled(made)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert (seen.begun, seen.ended, seen.queued) == (5, 3, 0)
    assert door.stood.left == 1


async def test_a_new_envoy_and_a_silent_one_lose_nothing_else(
    house: House, readings: Readings, behind: Service
) -> None:
    behind.deeds = ["answer"] * 5
    async with house.visitor() as client:
        for _ in range(3):
            await client.get("/")
    before = await settled(readings)
    await house.envoy.stop()
    await house.envoy.start()
    async with house.visitor() as client:
        for _ in range(2):
            await client.get("/")
    after = await settled(readings)
    assert (before.begun, after.begun, after.timed, after.open) == (3, 5, 5, 0)


async def test_at_rest_all_is_forgotten_and_nothing_read(house: House, readings: Readings) -> None:
    readings.follow(NAME, False)
    assert readings.load(NAME).readings == ()
    readings.follow(NAME, True)
    await until(lambda: readings.load(NAME).readings, "it is read again")
    readings.keep({})
    assert readings.load(NAME).readings == ()
    readings.follow(NAME, True)
    assert readings.load(NAME).readings == (), "no rules, no readings"


async def test_only_as_much_as_the_rules_need_is_kept(
    readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MARGIN", 0.1)
    readings.keep({NAME: 0.3})
    first = readings.load(NAME).readings[0].at
    await until(lambda: readings.load(NAME).readings[0].at > first, "the oldest goes")
    kept = readings.load(NAME).readings
    assert kept[-1].at - kept[0].at < 0.6


async def test_the_counts_of_all_services_at_once(house: House, readings: Readings, behind: Service) -> None:
    behind.deeds = ["answer", "fail"]
    async with house.visitor() as client:
        await client.post("/")
        await client.post("/work")
    await settled(readings)
    counted = (await readings.counts())[NAME]
    assert (counted.begun, counted.ended, counted.errors, sum(counted.took.values())) == (2, 2, 1, 2)
