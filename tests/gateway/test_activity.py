"""What a real Envoy counts, turned into activity."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.gateway.real_envoy import House, service, until

from poorwill import clock
from poorwill.core.door import Traffic
from poorwill.core.using import Use
from poorwill.gateway.activity import Activity
from poorwill.gateway.routes import Site

SITE = Site("my-svc", patterns={"busy": ("/work",), "background": ("/heartbeat/*",)})
NAME = "my-svc"
KEEPALIVE = 1024


class Service:
    """Answers ``/`` at once; everything else is open until told to go on."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        await writer.drain()
        self.writers.append(writer)
        await self.open.wait()
        writer.write(b"0\r\n\r\n")

    def send(self, count: int) -> None:
        self.writers[-1].write(f"{count:x}\r\n".encode() + b"x" * count + b"\r\n")


@pytest.fixture
async def behind() -> Service:
    return Service()


@pytest.fixture
async def activity(house: House, behind: Service) -> AsyncIterator[Activity]:
    await house.start(SITE)
    read: list[str] = []
    made = Activity(house.admin, read.append)
    run = asyncio.create_task(made.run())
    async with service(behind.answer) as address:
        await house.opened(NAME, address)
        yield made
        behind.open.set()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


def watch(activity: Activity) -> None:
    activity.watch(NAME, 0.02, KEEPALIVE)


async def fresh(activity: Activity) -> Traffic:
    """A reading that began after now."""
    now = clock.now().mono
    await until(lambda: (activity.traffic(NAME).read_at or 0.0) > now + 0.05, "a reading")
    return activity.traffic(NAME)


async def test_nobody_there_is_quiet(activity: Activity) -> None:
    assert activity.traffic(NAME) == Traffic()
    watch(activity)
    seen = await fresh(activity)
    assert (seen.active, seen.busy, seen.last_activity) == (0, 0, None)
    assert seen.quiet_since is not None
    assert (await fresh(activity)).quiet_since == seen.quiet_since


@pytest.mark.parametrize(("path", "kind"), [("/chat", "active"), ("/work", "busy")])
async def test_an_open_request_is_counted_in_its_class(
    house: House, activity: Activity, behind: Service, path: str, kind: str
) -> None:
    watch(activity)
    await fresh(activity)
    async with house.visitor() as client, client.stream("GET", path):
        seen = await fresh(activity)
        assert {"active": seen.active, "busy": seen.busy} == {"active": 0, "busy": 0, kind: 1}
        assert seen.quiet_since is None
        assert seen.last_activity is not None
        later = await fresh(activity)
        assert later.last_activity is not None
        if kind == "busy":
            assert later.last_activity > seen.last_activity, "open is enough"
        else:
            assert later.last_activity == seen.last_activity, "open and silent is not"
        behind.open.set()
    await until(lambda: activity.traffic(NAME).quiet_since is not None, "quiet again")


async def test_bytes_count_and_keep_alives_do_not(house: House, activity: Activity, behind: Service) -> None:
    watch(activity)
    await fresh(activity)
    async with house.visitor() as client, client.stream("GET", "/chat"):
        begun = await fresh(activity)
        for _ in range(3):
            behind.send(5)
            silent = await fresh(activity)
        assert silent.last_activity == begun.last_activity
        behind.send(2000)
        talked = await fresh(activity)
        assert begun.last_activity is not None
        assert talked.last_activity is not None
        assert talked.last_activity > begun.last_activity


async def test_background_requests_count_for_nothing(
    house: House, activity: Activity, behind: Service
) -> None:
    watch(activity)
    before = await fresh(activity)
    async with house.visitor() as client, client.stream("GET", "/heartbeat/1"):
        behind.send(100_000)
        seen = await fresh(activity)
    assert (seen.active, seen.busy, seen.last_activity) == (0, 0, None)
    assert seen.quiet_since == before.quiet_since


async def test_no_longer_watched_is_forgotten(activity: Activity) -> None:
    watch(activity)
    await fresh(activity)
    activity.watch(NAME, None, KEEPALIVE)
    assert activity.traffic(NAME) == Traffic()


async def test_a_new_envoy_counts_from_zero_and_that_is_no_activity(
    house: House, activity: Activity, behind: Service
) -> None:
    watch(activity)
    behind.open.set()
    async with house.visitor() as client:
        for _ in range(5):
            await client.get("/chat")
    seen = await fresh(activity)
    await house.envoy.stop()
    await house.envoy.start()
    later = await fresh(activity)
    assert later.last_activity == seen.last_activity
    async with house.visitor() as client:
        await client.get("/chat")
    assert seen.last_activity is not None
    await until(lambda: (activity.traffic(NAME).last_activity or 0) > (seen.last_activity or 0), "counted")


async def test_answers_are_counted_once_and_outlive_the_watching(
    house: House, activity: Activity, behind: Service
) -> None:
    behind.open.set()
    watch(activity)
    begun = clock.now().mono
    async with house.visitor() as client:
        for path in ("/chat", "/work", "/heartbeat/1", "/chat"):
            await client.get(path)
        await fresh(activity)
        activity.watch(NAME, None, KEEPALIVE)
        use = activity.used(NAME)
        assert use.answered == 3, "the background is not use"
        assert use.first_at is not None
        assert use.last_at is not None
        assert begun <= use.first_at <= use.last_at
        assert activity.used(NAME) == Use()
        await client.get("/chat")
    watch(activity)
    await fresh(activity)
    assert activity.used(NAME).answered == 1, "while nobody looked"


async def test_what_was_answered_before_this_life_is_not_counted(
    house: House, activity: Activity, behind: Service
) -> None:
    behind.open.set()
    watch(activity)
    await fresh(activity)
    async with house.visitor() as client:
        for _ in range(2):
            await client.get("/chat")
        later = Activity(house.admin, lambda _: None)
        later.watch(NAME, 0.02, KEEPALIVE)
        await later.catch_up()
        assert later.used(NAME) == Use(), "nobody knows yet where the counters stood"
        await later.begin()
        await later.catch_up()
        assert later.used(NAME).answered == 0
        await client.get("/chat")
    await later.catch_up()
    assert later.used(NAME).answered == 1
    await activity.catch_up()
    assert activity.used(NAME).answered == 3


async def test_an_answer_from_a_new_envoy_is_counted(
    house: House, activity: Activity, behind: Service
) -> None:
    behind.open.set()
    watch(activity)
    async with house.visitor() as client:
        for _ in range(3):
            await client.get("/chat")
    await fresh(activity)
    assert activity.used(NAME).answered == 3
    activity.watch(NAME, None, KEEPALIVE)  # it sleeps: nobody sees the new one at zero
    await house.envoy.stop()
    await house.envoy.start()
    async with house.visitor() as client:
        await client.get("/chat")
    watch(activity)
    await fresh(activity)
    assert activity.used(NAME).answered == 1
