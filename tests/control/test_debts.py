"""What may cost money for nothing: seen, written down, told in time, and over when it is over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import NAME, PLACE, RULES, FakeFront, House, a_house
from tests.control.virtual_time import in_virtual_time, running, until

from poorwill.control import restore
from poorwill.core.model import Service
from poorwill.errors import BadInput
from poorwill.store.journal import Event, Kind


def now() -> float:
    return running().time()


async def awake(house: House) -> None:
    house.add()
    house.front.ask()
    await house.becomes("awake")
    house.front.ask(waiting=0)


async def alerts(house: House) -> list[Event]:
    return await house.events(Kind.ALERT)


def row(house: House) -> dict[str, Any]:
    (found,) = house.desk.status()
    return found


async def resumed(house: House) -> None:
    """A new life of the control plane takes the service over."""
    past = (await house.journal.restore())[NAME]
    facts = house.add(past, owing=restore.owing(past, running().now()))
    await until(lambda: facts.looked_at is not None, 5)


# --- stops that fail --------------------------------------------------------------------------------


@in_virtual_time
@pytest.mark.parametrize(
    ("mode", "told_after"), [("error", 60), ("error-but-done", None), ("permanent", 0), ("nothing", 300)]
)
async def test_a_stop_that_fails_is_told_in_time(tmp_path: Path, mode: str, told_after: float | None) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        await awake(house)
        cloud.weather.stop = mode
        await until(lambda: cloud.count("stop"), 100)
        began = now()
        await asyncio.sleep(1000)
        stop, told = (await house.events(Kind.STOP))[0], await alerts(house)
        if told_after is None:
            assert told == []
            return
        (alert,) = told
        assert alert.detail["severity"] == "error"
        assert alert.mono - stop.mono == pytest.approx(told_after, abs=1)
        assert cloud.count("stop") > 15  # it never ceases to be asked
        owed = row(house)["debt"]
        assert owed["cause"] == "stop"
        assert owed["seconds"] == pytest.approx(now() - began, abs=1)
        assert owed["told"]


@in_virtual_time
async def test_a_stop_that_takes_a_minute_is_an_ordinary_one(tmp_path: Path) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        await awake(house)
        cloud.weather.stop = "nothing"
        await house.becomes("stopping", 100)
        await asyncio.sleep(60)
        assert cloud.count("stop") > 3
        assert row(house)["debt"] is None
        cloud.crash()
        await house.becomes("asleep", 70)
        assert await house.events(Kind.DEBT, Kind.ALERT) == []


@in_virtual_time
async def test_a_stop_that_takes_unusually_long_is_a_debt_from_its_beginning_on(tmp_path: Path) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        await awake(house)
        cloud.weather.stop = "nothing"
        await house.becomes("stopping", 100)
        await until(lambda: row(house)["debt"] is not None, 200)
        stop, debt = await house.events(Kind.STOP, Kind.DEBT)
        assert debt.mono - stop.mono == pytest.approx(120, abs=0.5)
        assert debt.detail["since"] == pytest.approx(stop.at, abs=0.01)
        assert await alerts(house) == []


@in_virtual_time
async def test_a_debt_is_open_from_when_it_was_not_needed_until_it_was_seen_to_be_gone(
    tmp_path: Path,
) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        await awake(house)
        cloud.weather.stop = "error"
        await house.becomes("stopping", 100)
        await asyncio.sleep(200)
        cloud.weather.stop = "ok"
        await house.becomes("asleep", 70)
        stop, stopped = await house.events(Kind.STOP, Kind.STOPPED)
        debt, settled = await house.events(Kind.DEBT, Kind.SETTLED)
        assert (debt.instance, debt.detail["cause"]) == (PLACE, "stop")
        assert debt.detail["since"] == pytest.approx(stop.at, abs=0.01)
        assert settled.detail["seconds"] == pytest.approx(stopped.mono - stop.mono, abs=0.1)
        first, second = await alerts(house)
        assert (first.detail["severity"], second.detail["severity"]) == ("error", "notice")
        assert "it is gone" in second.reason
        assert row(house)["debt"] is None


@in_virtual_time
async def test_a_restart_neither_forgets_a_debt_nor_tells_it_twice(tmp_path: Path) -> None:
    cloud, front = Cloud(), FakeFront()
    async with a_house(tmp_path, cloud, front) as house:
        await awake(house)
        cloud.weather.stop = "error"
        await house.becomes("stopping", 100)
        await asyncio.sleep(100)
        assert len(await alerts(house)) == 1
    async with a_house(tmp_path, cloud, front) as house:
        await resumed(house)
        await asyncio.sleep(100)
        assert len(await alerts(house)) == 1
        assert row(house)["debt"]["seconds"] == pytest.approx(200, abs=10)
        cloud.weather.stop = "ok"
        await house.becomes("asleep", 70)
        (settled,) = await house.events(Kind.SETTLED)
        (stop,) = await house.events(Kind.STOP)
        assert settled.detail["seconds"] == pytest.approx(now() - stop.mono, abs=1)
        assert [event.kind for event in await house.events(Kind.DEBT)] == [Kind.DEBT]


@in_virtual_time
async def test_what_nobody_can_see_is_told_and_no_debt(tmp_path: Path) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        house.add()
        await house.becomes("asleep")
        cloud.weather.looking = "error"
        await house.becomes("unknown", 60)
        began = now()
        await until(lambda: bool(house.reconciler.services[NAME].owing.told), 400)
        assert now() - began == pytest.approx(300, abs=1)
        cloud.weather.looking = "ok"
        await house.becomes("asleep", 60)
        assert [event.detail["severity"] for event in await alerts(house)] == ["error", "notice"]
        assert await house.events(Kind.DEBT) == []


@in_virtual_time
async def test_a_stop_that_hangs_does_not_hold_up_the_next_wake(tmp_path: Path) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        await awake(house)
        cloud.weather.stop = "hang-but-done"
        await house.becomes("stopping", 100)
        house.front.ask()
        await house.becomes("awake", 20)
        assert [event.kind for event in await house.events(Kind.STOPPED)] == [Kind.STOPPED]
        assert (cloud.count("start"), cloud.count("stop")) == (2, 1)
        await asyncio.sleep(40)
        assert house.phase() == "awake"


# --- what others started ----------------------------------------------------------------------------


async def foreign(house: House, cloud: Cloud, **more: Any) -> None:
    """It was put to sleep by us, and somebody starts it."""
    await awake(house)
    await house.becomes("asleep", 100)
    await asyncio.sleep(1)
    cloud.begin(PLACE, foreign=True)
    house.reconciler.look(NAME)
    await house.becomes("awake", 10)


@in_virtual_time
async def test_what_others_start_again_is_served_and_never_stopped(tmp_path: Path) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        await foreign(house, cloud)
        stops = cloud.count("stop")
        began = now()
        await asyncio.sleep(2000)
        assert (house.phase(), row(house)["rule"], row(house)["foreign"]) == ("awake", "foreign", True)
        assert cloud.count("stop") == stops
        (alert,) = await alerts(house)
        assert alert.detail["severity"] == "warning"
        assert "poorwill adopt notes" in alert.detail["hint"]
        (debt,) = await house.events(Kind.DEBT)
        assert alert.mono - debt.mono == pytest.approx(300, abs=1)
        assert row(house)["debt"]["seconds"] == pytest.approx(now() - began - 60, abs=70)


@in_virtual_time
@pytest.mark.parametrize("way", ["adopt", "sleep", "configuration"])
async def test_what_was_handed_over_sleeps_like_anything_else(tmp_path: Path, way: str) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        await foreign(house, cloud)
        await asyncio.sleep(200)
        if way == "configuration":
            facts = house.reconciler.services[NAME]
            facts.rules = Service(NAME, RULES.idle_after, RULES.drain, RULES.start_timeout, adopt=True)
            house.reconciler.nudge(NAME)
        else:
            await getattr(house.desk, way)(NAME, "by anna")
        await house.becomes("asleep", 80)
        assert cloud.copy() is None
        (adopted,) = await house.events(Kind.ADOPT)
        assert adopted.detail["life"] == "life-2"
        assert len(await house.events(Kind.SETTLED)) == 1
        with pytest.raises(BadInput, match="nothing of it runs"):
            await house.desk.adopt(NAME, "by anna")


@in_virtual_time
async def test_an_adoption_outlives_a_restart_and_ends_with_the_life_of_the_instance(tmp_path: Path) -> None:
    cloud, front = Cloud(), FakeFront()
    async with a_house(tmp_path, cloud, front) as house:
        await foreign(house, cloud)
        await house.desk.adopt(NAME, "by anna")
    async with a_house(tmp_path, cloud, front) as house:
        await resumed(house)
        assert not row(house)["foreign"]
        await house.becomes("asleep", 100)
        cloud.begin(PLACE, foreign=True)
        house.reconciler.look(NAME)
        await house.becomes("awake", 10)
        assert row(house)["foreign"]


@in_virtual_time
async def test_a_sleep_that_was_said_before_does_not_stop_what_others_start(tmp_path: Path) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        house.add()
        await house.becomes("asleep")
        await house.desk.sleep(NAME, "by anna")
        cloud.begin(PLACE, foreign=True)
        house.reconciler.look(NAME)
        await house.becomes("left", 30)
        assert house.front.gate(NAME).state == "closed"
        assert "put to sleep by anna; it runs, and Poorwill did not start it" in row(house)["reason"]
        await asyncio.sleep(1000)
        assert cloud.count("stop") == 0
        await house.desk.auto(NAME, "by anna")
        await house.becomes("awake", 10)


@in_virtual_time
async def test_one_that_does_not_answer_is_not_too_late(tmp_path: Path) -> None:
    cloud = Cloud()
    cloud.weather.ready_after = 500.0
    async with a_house(tmp_path, cloud) as house:
        house.add()
        cloud.begin(PLACE, foreign=True)
        await house.becomes("waking", 10)
        await house.becomes("awake", 510)
        assert cloud.count("stop") == 0
        assert await house.events(Kind.FAILED) == []


# --- what is ours -----------------------------------------------------------------------------------


@in_virtual_time
@pytest.mark.parametrize("when", ["while it is started", "while it is awake", "while it is stopped"])
async def test_ours_stays_ours_over_a_restart(tmp_path: Path, when: str) -> None:
    cloud, front = Cloud(), FakeFront()
    async with a_house(tmp_path, cloud, front) as house:
        house.add()
        front.ask()
        await until(lambda: cloud.copy() is not None, 10)
        if when != "while it is started":
            await house.becomes("awake")
        front.ask(waiting=0)
        if when == "while it is stopped":
            cloud.weather.stop = "error"
            await house.becomes("stopping", 100)
    cloud.weather.stop = "ok"
    async with a_house(tmp_path, cloud, front) as house:
        await resumed(house)
        assert not row(house)["foreign"]
        await house.becomes("asleep", 150)
        assert cloud.copy() is None


@in_virtual_time
async def test_what_the_place_starts_again_by_itself_stays_ours(tmp_path: Path) -> None:
    cloud = Cloud()
    async with a_house(tmp_path, cloud) as house:
        await awake(house)
        facts = house.reconciler.services[NAME]
        place = facts.places[PLACE]
        place.ended = "life-1"
        assert place.sighting is not None
        place.sighting = replace(place.sighting, life="life-2")
        assert place.foreign
        place.sighting = replace(place.sighting, resumed=True)
        assert not place.foreign


@in_virtual_time
async def test_a_shadow_of_what_was_stopped_is_neither_ours_nor_anybodys(tmp_path: Path) -> None:
    """A cloud whose list goes back in time for a moment."""
    cloud = Cloud()
    provider = FakeProvider(cloud, settle=20.0)
    rules = Service(NAME, RULES.idle_after, RULES.drain, RULES.start_timeout, settle=20.0)
    async with a_house(tmp_path, cloud) as house:
        house.add(provider=provider, rules=rules)
        house.front.ask()
        await house.becomes("awake")
        house.front.ask(waiting=0)
        await house.becomes("asleep", 100)
        stops = cloud.count("stop")
        cloud.begin(PLACE, foreign=True)
        house.reconciler.look(NAME)
        await house.becomes("stopping", 10)
        cloud.crash()
        await house.becomes("asleep", 30)
        assert cloud.count("stop") == stops
        assert await house.events(Kind.DEBT) == []
