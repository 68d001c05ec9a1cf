"""What the ledger is told of coming and going: once each, across restarts, whoever did it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import NAME, PLACE, FakeFront, House, a_house
from tests.control.virtual_time import in_virtual_time, running, until

from poorwill.app.reload import retire
from poorwill.control.recorder import EXPENDABLE
from poorwill.core.model import Condition
from poorwill.providers.base import Sighting
from poorwill.store.journal import Event, Kind

TOLD = (Kind.THERE, Kind.GONE)


class Told(FakeProvider):
    """Says what it is told to say."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.says: list[Sighting] = []

    async def list(self) -> list[Sighting]:
        return self.says


async def told(house: House) -> list[tuple[str, str]]:
    return [(str(event.kind), event.detail["life"]) for event in await house.events(*TOLD)]


async def looked(house: House) -> list[Event]:
    """What is written down once there was another look."""
    house.reconciler.look(NAME)
    await asyncio.sleep(0.1)
    return await house.events(*TOLD)


def test_they_are_never_left_out() -> None:
    assert not EXPENDABLE & set(TOLD)


@in_virtual_time
async def test_once_when_it_comes_and_once_when_it_is_gone(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        house.front.ask()
        await house.becomes("awake")
        house.reconciler.look(NAME)
        await house.becomes("asleep", within=120.0)
        start, there, gone, stopped = await house.events(Kind.START, *TOLD, Kind.STOPPED)
        assert (there.kind, gone.kind) == TOLD
        assert start.mono <= there.mono < gone.mono <= stopped.mono
        assert there.at - there.detail["absent"] < 6.0
        assert 0.0 <= gone.at - gone.detail["seen"] < 6.0
        assert (there.detail["life"], there.detail["since"], gone.detail["until"]) == ("life-1", None, None)


@in_virtual_time
async def test_a_restart_neither_tells_it_twice_nor_forgets_that_it_is_there(tmp_path: Path) -> None:
    cloud, front = Cloud(), FakeFront()
    async with a_house(tmp_path, cloud, front) as house:
        house.add()
        front.ask()
        await house.becomes("awake")
        await house.events()
    async with a_house(tmp_path, cloud, front) as house:
        house.add((await house.journal.restore())[NAME])
        await house.becomes("awake")
        assert await told(house) == [("there", "life-1")]
    cloud.crash()
    await asyncio.sleep(30.0)
    async with a_house(tmp_path, cloud, front) as house:
        house.add((await house.journal.restore())[NAME])
        await until(lambda: house.phase() in ("failed", "asleep", "waking"), 60.0)
        there, gone, *_ = await house.events(*TOLD)
        assert (there.kind, gone.kind, gone.detail["life"]) == (*TOLD, "life-1")
        assert 30.0 < gone.at - gone.detail["seen"] < 180.0  # the last sign of life of the one before


@in_virtual_time
async def test_what_others_started_while_nobody_looked(tmp_path: Path) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        house.add()
        await house.becomes("asleep")
        await house.events()
    await asyncio.sleep(100.0)
    cloud.begin(PLACE, foreign=True)
    await asyncio.sleep(100.0)
    async with a_house(tmp_path, cloud) as house:
        house.add((await house.journal.restore())[NAME])
        await until(lambda: house.reconciler.services[NAME].foreign, 10.0)
        (there,) = await house.events(*TOLD)
        stale = house.reconciler.services[NAME].provider.stale_after  # so old the last look may have been
        assert 200.0 + stale <= there.at - there.detail["absent"] < 260.0


@in_virtual_time
async def test_a_restart_in_the_dark_is_no_sign_of_what_was_seen(tmp_path: Path) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        house.add()
        house.front.ask()
        await house.becomes("awake")
        await house.becomes("asleep", within=120.0)
        cloud.weather.looking = "error"
        await house.becomes("unknown", within=120.0)
        await house.events()
    cloud.begin(PLACE, foreign=True)
    await asyncio.sleep(3600.0)
    async with a_house(tmp_path, cloud) as house:
        house.add((await house.journal.restore())[NAME])
        await house.becomes("unknown")
        await house.events()
    async with a_house(tmp_path, cloud) as house:
        house.add((await house.journal.restore())[NAME])
        cloud.weather.looking = "ok"
        await until(lambda: house.reconciler.services[NAME].foreign, 60.0)
        *_, there = await house.events(*TOLD)
        assert there.at - there.detail["absent"] > 3600.0


@in_virtual_time
async def test_nobody_knows_is_not_gone(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = house.add(provider=(place := Told(Cloud())))
        place.says = [Sighting(PLACE, Condition.RUNNING, "a")]
        assert len(await looked(house)) == 1
        place.says = [Sighting(PLACE, Condition.UNKNOWN)]
        assert len(await looked(house)) == 1
        assert facts.places[PLACE].noted.life == "a"
        place.says = []
        assert [event.kind for event in await looked(house)] == [*TOLD]


@in_virtual_time
async def test_another_life_between_two_looks(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add(provider=(place := Told(Cloud())))
        for life in ("a", "a", "b"):
            place.says = [Sighting(PLACE, Condition.RUNNING, life)]
            await looked(house)
        assert await told(house) == [("there", "a"), ("gone", "a"), ("there", "b")]


@in_virtual_time
async def test_the_place_s_own_times_are_handed_on_also_of_a_life_that_no_look_showed(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add(provider=(place := Told(Cloud())))
        await looked(house)
        wall = running().now().wall
        place.says = [Sighting(PLACE, Condition.RUNNING, "a", since=wall - 3.0)]
        assert (await looked(house))[-1].detail["since"] == wall - 3.0
        place.says = [Sighting(PLACE, Condition.ABSENT, "a", since=wall - 3.0, until=wall + 1.0)]
        gone = (await looked(house))[-1].detail
        assert (gone["since"], gone["until"]) == (wall - 3.0, wall + 1.0)
        place.says = [Sighting(PLACE, Condition.ABSENT, "b", since=wall + 2.0, until=wall + 3.0)]
        for _ in range(2):
            await looked(house)
        assert await told(house) == [("there", "a"), ("gone", "a"), ("there", "b"), ("gone", "b")]


@in_virtual_time
async def test_what_only_starts_has_no_name_yet(tmp_path: Path) -> None:
    """A container keeps the name and the times of its last life until the next one really runs."""
    async with a_house(tmp_path) as house:
        house.add(provider=(place := Told(Cloud())))
        over = Sighting(PLACE, Condition.ABSENT, "a", since=1.0, until=2.0)
        for seen in (
            Sighting(PLACE, Condition.RUNNING, "a", since=1.0),
            over,
            replace(over, condition=Condition.STARTING),
            Sighting(PLACE, Condition.RUNNING, "b", since=3.0),
        ):
            place.says = [seen]
            await looked(house)
        assert await told(house) == [("there", "a"), ("gone", "a"), ("there", ""), ("there", "b")]


@pytest.mark.parametrize("step", [3600.0, -3600.0])
@in_virtual_time
async def test_the_ledger_is_told_when_the_clock_was_set(tmp_path: Path, step: float) -> None:
    async with a_house(tmp_path) as house:
        house.add(provider=(place := Told(Cloud())))
        place.says = [Sighting(PLACE, Condition.RUNNING, "a")]
        await looked(house)
        running().wall_offset += step
        for _ in range(2):
            await looked(house)
        before, after = await house.events(*TOLD)
        assert (after.kind, after.detail["life"]) == (Kind.THERE, "a")
        assert after.at - before.at == pytest.approx(step + after.mono - before.mono)


@in_virtual_time
async def test_what_was_removed_is_followed_until_it_is_gone(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = house.add()
        house.front.ask()
        await house.becomes("awake")
        retire(facts)
        house.reconciler.nudge(NAME)
        await until(lambda: house.forgotten == [NAME], 120.0)
        assert [kind for kind, _ in await told(house)] == ["there", "gone"]


@in_virtual_time
async def test_what_others_run_is_not_billed_any_more_once_it_was_removed(tmp_path: Path) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        facts = house.add()
        await house.becomes("asleep")
        cloud.begin(PLACE, foreign=True)
        house.reconciler.look(NAME)
        await until(lambda: facts.foreign, 10.0)
        retire(facts)
        house.reconciler.nudge(NAME)
        await until(lambda: house.forgotten == [NAME], 120.0)
        assert cloud.copy() is not None
        assert (await house.events(Kind.GONE))[0].reason.startswith("it was removed")
