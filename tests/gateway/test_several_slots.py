"""Slots of several instances: each has its own, none is idle while somebody waits, a new one relieves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from itertools import count

import pytest
from tests.gateway.crew import HOST, Hand, ask, crew, opened, put
from tests.gateway.real_envoy import House, until

from poorwill.core.door import Membership
from poorwill.gateway.clusters import Slots, Upstream
from poorwill.gateway.doors import Door
from poorwill.gateway.routes import Site
from poorwill.gateway.slots import Pacer

IT = Site("it", hosts=("it.test",), hold=20.0)


@contextlib.asynccontextmanager
async def paced(
    house: House, limit: int, *, sticky: bool = False, linger: float = 60.0
) -> AsyncIterator[Door]:
    """A service with so many slots at each instance. After a crowd it stays paced for ``linger`` seconds."""
    await house.start(IT, upstreams={"it": Upstream(slots=Slots(limit), many=True, sticky=sticky)})
    pacer = Pacer(house.doors, house.switchboard, house.admin, linger)
    door = house.doors["it"]
    door.hold, door.sticky, door.on_line = 20.0, sticky, pacer.look
    task = asyncio.create_task(pacer.run())
    yield door
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def let_in(house: House, *hands: Hand) -> None:
    await opened(house, *hands)
    house.doors["it"].let_through(True)


async def rush(house: House, *hands: Hand) -> None:
    """A crowd, after which the service stays paced for a while."""
    before = [hand.takes for hand in hands]
    for hand in hands:
        hand.takes = 0.12
    crowd = asyncio.create_task(ask(house, 24, 24))
    await until(lambda: house.switchboard.paced("it"), "it is paced")
    assert (await crowd).total() == 24
    await house.settled()
    assert house.switchboard.paced("it")
    for hand, takes in zip(hands, before, strict=True):
        hand.takes = takes


async def idle(house: House, hands: list[Hand], limit: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """For how many looks, at most, an instance had less to do than it could while somebody waited."""
    looks, longest = count(), 0
    ask, now = house.admin.stats, next(looks)

    async def stats(pattern: str = "") -> dict[str, int | str]:
        nonlocal now
        if "slots" in pattern:
            now = next(looks)
        return await ask(pattern)

    monkeypatch.setattr(house.admin, "stats", stats)
    since = dict.fromkeys((hand.name for hand in hands), now)
    while len(house.doors["it"].line):
        since |= {hand.name: now for hand in hands if hand.now == limit}
        longest = max(longest, now - min(since.values()))
        await asyncio.sleep(0.002)
    assert now > 10, "somebody looked"
    return longest


async def test_the_cap_is_exact_and_no_slot_is_idle_while_somebody_waits(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with paced(house, 2), crew(3) as hands:
        await let_in(house, *hands)
        await rush(house, *hands)
        for hand in hands:
            hand.takes, hand.most = 0.3, 0
        asking = asyncio.create_task(ask(house, 36, 36))
        await until(lambda: all(hand.now == 2 for hand in hands), "all are at work")
        await until(lambda: len(house.doors["it"].line) > 20, "the others came and wait")
        assert await idle(house, hands, 2, monkeypatch) <= 4
        assert max((await asking).values()) <= 14, "12 each, and a few for who is quicker"
        assert [hand.most for hand in hands] == [2, 2, 2]


async def test_a_new_instance_relieves_those_who_wait_already(house: House) -> None:
    async with paced(house, 2) as door, crew(2) as hands:
        await let_in(house, hands[0])
        await rush(house, *hands)
        for hand in hands:
            hand.free.clear()
        asking = asyncio.create_task(ask(house, 10, 10))
        await until(lambda: hands[0].now == 2 and len(door.line) >= 6, "most wait")
        await put(house, Membership.IN, hands[1])
        await until(lambda: hands[1].now == 2, "two of them are there")
        for hand in hands:
            hand.free.set()
        assert (await asking).total() == 10
        assert [hand.most for hand in hands] == [2, 2]


async def test_who_met_an_instance_waits_for_it_and_nobody_waits_behind_him(house: House) -> None:
    async with paced(house, 1, sticky=True) as door, crew(2) as hands, house.visitor() as old:
        await let_in(house, *hands)
        await rush(house, *hands)
        mine = (await old.get("/", headers=HOST)).text
        [hand], [other] = ([one for one in hands if (one.name == mine) is same] for same in (True, False))
        hand.free.clear()
        other.free.clear()
        asking = asyncio.create_task(ask(house, 2, 2))
        await until(lambda: hand.now == other.now == 1, "both have something to do")
        waiting = asyncio.create_task(old.get("/", headers=HOST))
        await until(lambda: len(door.line) == 1, "the old one waits")
        other.free.set()
        assert await ask(house, 2, 1) == {other.name: 2}
        assert (len(door.line), waiting.done()) == (1, False)
        hand.free.set()
        assert (await waiting).text == mine
        await asking
        await put(house, Membership.CORDONED, hand)
        assert set(await ask(house, 4, 4)) == {other.name}, "nobody else goes there any more"
        assert (await old.get("/", headers=HOST)).text == mine
        await put(house, Membership.OUT, hand)
        assert (await old.get("/", headers=HOST)).text == other.name


async def test_a_burst_at_an_open_service_waits_at_the_gate(house: House) -> None:
    """What came before the next look waits in Envoy for its instance; all others can be relieved."""
    async with paced(house, 2, linger=1.0) as door, crew(3) as hands:
        await let_in(house, *hands[:2])
        for hand in hands:
            hand.free.clear()
        early = asyncio.create_task(ask(house, 6, 6))
        await until(lambda: house.switchboard.paced("it"), "an instance is full")
        await house.settled()
        more = asyncio.create_task(ask(house, 12, 12))
        await until(lambda: hands[0].now == hands[1].now == 2 and len(door.line) >= 8, "the others wait")
        door.hold = 0.2
        assert await ask(house, 1, 1) == {"503": 1}, "nobody is kept waiting for ever"
        await put(house, Membership.IN, hands[2])
        await until(lambda: hands[2].now == 2, "the new one relieves them")
        for hand in hands:
            hand.free.set()
        assert (await early).total() + (await more).total() == 18
        assert max(hand.most for hand in hands) == 2
        await until(lambda: not house.switchboard.paced("it"), "calm again")


async def test_a_restart_in_a_rush_hour_stays_paced(house: House) -> None:
    async with paced(house, 2), crew(2) as hands:
        await let_in(house, *hands)
        await rush(house, *hands)
        later = House(house.folder, port=house.port)
        later.switchboard.load()
        later.shape(IT, upstreams={"it": Upstream(slots=Slots(2), many=True)})
        assert later.switchboard.paced("it")
        assert later.switchboard.room("it") == 4
        await later.admin.close()
