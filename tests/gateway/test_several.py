"""A service with several instances: visitors are spread over them, and do not notice who comes and goes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest
from tests.gateway.crew import HOST, Hand, ask, crew, opened, put
from tests.gateway.real_envoy import House, until

from poorwill.core import traffic
from poorwill.core.door import Member, Membership
from poorwill.gateway.activity import Activity
from poorwill.gateway.clusters import Upstream
from poorwill.gateway.routes import Site

IT = Site("it", hosts=("it.test",), patterns={"busy": ("/stream/busy",)}, hold=10.0)
MANY = {"it": Upstream(many=True)}


@contextlib.asynccontextmanager
async def watching(house: House) -> AsyncIterator[Activity]:
    readings: list[str] = []
    activity = Activity(house.admin, readings.append, house.switchboard.members)
    activity.watch("it", 0.02, 1024)
    task = asyncio.create_task(activity.run())
    yield activity
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def drained(house: House, activity: Activity, name: str) -> bool:
    since = house.switchboard.member("it", name).since
    return traffic.drained(activity.instance_traffic("it", name), since, drain=60, idle_after=60)


async def test_who_has_the_fewest_open_requests_gets_the_next(house: House) -> None:
    await house.start(IT, upstreams=MANY)
    async with crew(3) as hands, watching(house) as activity:
        await opened(house, *hands)
        await ask(house, 60, 30)  # connections are made by lot
        for hand in hands:
            hand.asked = hand.most = 0
        hands[0].takes = 0.5  # so that it is asked less often, and yet has no more to do than the others
        assert (await ask(house, 300, 30)).total() == 300
        assert max(hand.most for hand in hands) <= 13
        assert 2 * hands[0].asked < hands[1].asked
        await until(
            lambda: sum(activity.served("it", hand.name) for hand in hands) == 360,
            "each request is counted once",
        )


async def test_wishes_are_true_when_envoy_says_so_and_a_gone_instance_is_forgotten(house: House) -> None:
    await house.start(IT, upstreams=MANY)
    board = house.switchboard
    board.wish("it", "it-1", Membership.IN)
    await house.settled()
    assert board.member("it", "it-1").state is Membership.MOVING, "nobody knows where it is"
    async with crew(2) as (one, other):
        await opened(house, one, other)
        since = board.member("it", "it-1").since
        board.wish("it", "it-1", Membership.IN)
        board.route("it", "it-1", one.target)
        assert board.member("it", "it-1") == Member(Membership.IN, since), "the same again is no news"
        board.wish("it", "it-1", Membership.OUT)
        assert board.member("it", "it-1").state is Membership.MOVING
        await put(house, Membership.OUT, one)
        assert board.member("it", "it-1").since > since
        assert await ask(house, 20, 5) == {"it-2": 20}
        board.route("it", "it-1", None)
        assert board.member("it", "it-1") == Member()
        await house.settled()
        assert await ask(house, 20, 5) == {"it-2": 20}


async def test_what_envoy_has_confirmed_is_so_however_quickly_it_changes(house: House) -> None:
    await house.start(IT, upstreams=MANY)
    async with crew(3, takes=0.001) as hands:
        await opened(house, *hands)
        for wish in (Membership.OUT, Membership.IN, Membership.CORDONED, Membership.IN, Membership.OUT):
            await put(house, wish, hands[0])
            hands[0].asked = 0
            await ask(house, 30, 5)
            assert bool(hands[0].asked) is (wish is Membership.IN)


async def test_instances_come_and_go_under_traffic_and_nothing_is_lost(house: House) -> None:
    """Requests that change things, streams and websockets; whoever left is stopped as soon as it is quiet."""
    await house.start(IT, upstreams=MANY)
    going = True
    answers: list[str] = []

    async def visits(method: str) -> None:
        async with house.visitor() as client:
            while going:
                answer = await client.request(method, "/", headers=HOST, content=b"x" * 1000)
                answers.append(f"{answer.status_code}")

    async with crew(3) as hands, watching(house) as activity:
        await opened(house, *hands)
        visitors = [asyncio.create_task(visits(method)) for method in ("GET", "POST") * 4]
        for leaving in hands[:2]:
            await leave(house, activity, leaving)
            async with Hand(leaving.name) as fresh:
                await put(house, Membership.IN, fresh)
                await until(partial(busy, fresh), "it is asked")
                await leave(house, activity, fresh)
        going = False
        await asyncio.gather(*visitors)
    assert set(answers) == {"200"}
    assert len(answers) > 100


def busy(hand: Hand) -> bool:
    return hand.asked > 10


async def leave(house: House, activity: Activity, hand: Hand) -> None:
    """Out while a websocket and a stream are open there; stopped as soon as it is quiet."""
    ends = [await websocket(house, hand), await stream(house, hand)]
    await put(house, Membership.OUT, hand)
    await until(lambda: activity.instance_traffic("it", hand.name).active == 2, "two are open there")
    assert not drained(house, activity, hand.name)
    for end in ends:
        await end()
    await until(lambda: drained(house, activity, hand.name), "it is quiet")
    asked = hand.asked
    house.switchboard.route("it", hand.name, None)
    await house.settled()
    hand.die()
    assert hand.asked == asked


async def websocket(house: House, hand: Hand) -> Callable[[], Awaitable[None]]:
    """One that arrived at this instance, and how to end it after it has proved to be alive still."""
    reader, writer = await at(house, hand, b"upgrade: websocket\r\nconnection: upgrade\r\n")

    async def end() -> None:
        writer.write(b"still there?")
        assert await reader.readexactly(5 + 12) == f"{hand.name}:still there?".encode()
        writer.close()

    return end


async def stream(house: House, hand: Hand) -> Callable[[], Awaitable[None]]:
    reader, writer = await at(house, hand, b"")

    async def end() -> None:
        hand.enough.set()
        assert (await reader.read()).endswith(b"0\r\n\r\n"), "to its very end"
        writer.close()

    return end


async def at(house: House, hand: Hand, more: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        before = hand.now
        writer.write(
            b"GET /stream HTTP/1.1\r\nhost: it.test\r\n" + (more or b"connection: close\r\n") + b"\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.split()[1] in (b"101", b"200")
        writer.write(b"?" if more else b"")
        said = await reader.readuntil(b"?" if more else b"\n\n")
        if hand.name.encode() in said and hand.now > before - 1:
            return reader, writer
        writer.close()


async def test_one_that_dies_is_left_alone_before_anybody_says_so(house: House) -> None:
    await house.start(IT, upstreams=MANY)
    async with crew(3, takes=0.1) as hands:
        await opened(house, *hands)
        await ask(house, 30, 15)
        hands[0].die()
        async with asyncio.timeout(30):
            assert set(await ask(house, 150, 15, "POST", content=b"x")) == {"it-2", "it-3"}


async def test_the_only_one_that_dies_is_waited_for(house: House) -> None:
    await house.start(IT, upstreams=MANY)
    async with crew(1) as [hand]:
        await opened(house, hand)
        await ask(house, 5, 5)
        hand.die()
        asking = asyncio.create_task(ask(house, 10, 10, "POST", content=b"x"))
        tries: dict[str, int | str] = {}
        while sum(map(int, tries.values())) < 30 and not asking.done():
            tries = await house.admin.stats(r"^cluster\.it/active\.endpoint\..*\.cx_connect_fail$")
        assert not asking.done(), "nobody was refused"
        assert len(tries) == 2, "and somebody has met nobody"
        async with hand:
            assert await asking == {"it-1": 10}


async def test_the_next_life_of_the_control_plane_knows_who_was_in(house: House) -> None:
    await house.start(IT, upstreams=MANY)
    async with crew(3) as hands:
        await opened(house, *hands)
        await put(house, Membership.CORDONED, hands[1])
        await put(house, Membership.OUT, hands[2])
        later = House(house.folder, port=house.port)
        later.switchboard.load()
        later.shape(IT, upstreams=MANY)
        assert later.switchboard.member("it", "it-1").state is Membership.MOVING
        run = asyncio.create_task(later.switchboard.run())
        await later.settled()
        assert [later.switchboard.member("it", hand.name).state for hand in hands] == [
            Membership.IN,
            Membership.CORDONED,
            Membership.OUT,
        ]
        assert await ask(house, 20, 5) == {"it-1": 20}
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        await later.admin.close()


async def test_the_next_life_of_the_control_plane_sees_what_is_open_behind_a_closed_gate(
    house: House,
) -> None:
    await house.start(IT, upstreams=MANY)
    async with crew(2) as hands:
        await opened(house, *hands)
        first = asyncio.create_task(ask(house, 1, 1, path="/stream"))
        await until(lambda: any(hand.now for hand in hands), "one is open")  # before that Envoy draws lots
        second = asyncio.create_task(ask(house, 1, 1, path="/stream"))
        await until(lambda: all(hand.now for hand in hands), "one is open at each")
        house.switchboard.close("it")
        await house.settled()
        later = House(house.folder, port=house.port)
        later.switchboard.load()
        later.shape(IT, upstreams=MANY)
        run = asyncio.create_task(later.switchboard.run())
        await later.settled()
        async with watching(later) as activity:
            await until(
                lambda: [activity.instance_traffic("it", hand.name).active for hand in hands] == [1, 1],
                "what is open at each is seen",
            )
        for hand in hands:
            hand.enough.set()
        await asyncio.gather(first, second)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        await later.admin.close()


async def test_what_moves_at_one_instance_is_told_apart(house: House) -> None:
    await house.start(IT, upstreams=MANY)
    async with crew(2, takes=0.5) as hands, watching(house) as activity:
        await opened(house, *hands[:1])
        await ask(house, 2, 2)
        await until(lambda: activity.traffic("it").read_at, "it was read")
        assert activity.instance_traffic("it", "it-1") == activity.traffic("it"), "there is but one"
        await put(house, Membership.IN, hands[1])
        await put(house, Membership.OUT, hands[0])
        asking = asyncio.create_task(ask(house, 3, 3))
        await until(lambda: activity.instance_traffic("it", "it-2").active == 3, "three are open there")
        await until(lambda: drained(house, activity, "it-1"), "the other one is quiet")
        assert not drained(house, activity, "it-2")
        assert activity.traffic("it").active == 3
        await asking
        await until(lambda: activity.instance_traffic("it", "it-2").quiet_since, "quiet again")
        assert activity.served("it", "it-2") == 3


@pytest.mark.parametrize("wish", [Membership.OUT, Membership.CORDONED])
async def test_without_anybody_in_nobody_is_let_in_elsewhere(house: House, wish: Membership) -> None:
    """Whom no cookie leads there: better refused in the end than sent where nobody is to be any more."""
    await house.start(Site("it", hosts=("it.test",), hold=0.0), upstreams=MANY)
    async with crew(2) as hands:
        await opened(house, *hands)
        await put(house, wish, *hands)
        assert await ask(house, 3, 3) == {"503": 3}
        assert [hand.asked for hand in hands] == [0, 0]
