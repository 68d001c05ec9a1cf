"""Jobs: each run once at its hour, told how it ended, never cut and never two at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import FakeFront, House, a_house
from tests.control.virtual_time import BEGIN, WALL, in_virtual_time, running
from tests.core.timetables import table

from poorwill import clock
from poorwill.control import restore
from poorwill.control.facts import Facts, Tenancy
from poorwill.core.model import Condition, Hand, HandKind, Service
from poorwill.providers.base import Sighting
from poorwill.store.journal import Event, Kind, Restored

JOB = "report"
HOUR = 3600.0
NEXT = WALL + HOUR - WALL % HOUR
"""The first full hour of virtual time, when the clock was set forward by ``NEAR``."""

NEAR = HOUR - 60


class Runs(FakeProvider):
    """A place that knows how what ended by itself has ended."""

    async def list(self) -> Any:
        found = await super().list()
        ended = [life for _, life in self.cloud._copies if life is not None]
        if found or not ended:
            return found
        copy = ended[-1]
        died = copy.dies_at < copy.gone_at
        return [
            Sighting(
                copy.instance,
                Condition.ABSENT,
                copy.life,
                detail="exit code 3" if died else "",
                exit_code=3 if died else None,
            )
        ]


def add(house: House, missed: str = "run", restored: Restored | None = None, **more: Any) -> Facts:
    restored = restored or Restored()
    running().wall_offset = NEAR
    now = clock.now()
    hourly = table({"start": "0 * * * *", "until": "done", "missed": missed})
    rules = Service(JOB, idle_after=60.0, start_timeout=40.0, timetable=hourly, job=True)
    return house.add(
        restored,
        JOB,
        rules=rules,
        provider=Runs(house.cloud),
        probe=None,
        tenancy=Tenancy.JOB,
        has_door=False,
        last_run=restore.last_run(restored, now),
        watched_from=now.wall,
        **more,
    )


def takes(house: House, seconds: float) -> None:
    house.cloud.weather.running_after = 0.0
    house.cloud.weather.dies_after = seconds


async def sleep_until(wall: float) -> None:
    await asyncio.sleep(wall - clock.now().wall)


async def done(house: House, count: int = 1) -> list[Event]:
    async def enough() -> bool:
        return len(await house.events(Kind.DONE)) >= count

    deadline = running().time() + 2 * HOUR
    while not await enough():
        assert running().time() < deadline
        await asyncio.sleep(20.0)
    return await house.events(Kind.DONE)


async def started(house: House, count: int) -> None:
    deadline = running().time() + 2 * HOUR
    while house.cloud.count("start") < count:
        assert running().time() < deadline
        await asyncio.sleep(0.02 if running().time() - BEGIN < 70 else 1.0)


@in_virtual_time
async def test_a_run_begins_at_its_hour_and_tells_how_it_ended(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = add(house)
        takes(house, 90.0)
        await house.becomes("asleep", name=JOB)
        assert house.cloud.count("start") == 0, "the hours before it was known are not made up for"
        (event,) = await done(house)
        (start,) = await house.events(Kind.START)
        assert 0 <= start.at - NEXT < 1
        assert (event.reason, event.detail["exit_code"], event.detail["last_run"]) == ("exit code 3", 3, NEXT)
        assert event.detail["seconds"] == pytest.approx(90, abs=6)
        await house.becomes("asleep", name=JOB)
        assert facts.decision is not None
        assert facts.decision.reason.startswith("the last run ended with exit code 3; runs ")
        await done(house, 2)
        starts = await house.events(Kind.START)
        assert [round(start.at - NEXT) for start in starts] == [0, 3600]
        assert house.front.calls == [], "a job has no door"


@in_virtual_time
async def test_a_run_that_is_still_going_at_its_next_hour_goes_on_and_that_one_is_skipped(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        add(house)
        takes(house, 2.5 * HOUR)
        await sleep_until(NEXT + 2.2 * HOUR)
        skipped = await house.events(Kind.SKIPPED)
        assert [event.detail["last_run"] for event in skipped] == [NEXT + HOUR, NEXT + 2 * HOUR]
        assert "still going" in skipped[0].reason
        assert house.cloud.count("start") == 1
        await done(house)
        await sleep_until(NEXT + 3 * HOUR + 5)
        assert house.cloud.count("start") == 2


@in_virtual_time
@pytest.mark.parametrize("missed", ["run", "skip"])
async def test_what_was_missed(tmp_path: Path, missed: str) -> None:
    cloud, front = Cloud(), FakeFront()
    async with a_house(tmp_path, cloud, front) as house:
        add(house, missed)
        await house.becomes("asleep", name=JOB)
        await house.recorder.flush(5)
    await sleep_until(NEXT + 2.5 * HOUR)  # nobody was there for three hours of it
    async with a_house(tmp_path, cloud, front) as house:
        restored = (await house.journal.restore())[JOB]
        add(house, missed, restored)
        takes(house, 5.0)
        await asyncio.sleep(60)
        starts, skipped = await house.events(Kind.START), await house.events(Kind.SKIPPED)
        if missed == "run":
            assert [event.detail["due"] for event in starts] == [NEXT + 2 * HOUR], "only the latest, once"
            assert "made up for" in starts[0].reason
            assert skipped == []
        else:
            assert starts == []
            assert [event.detail["last_run"] for event in skipped] == [NEXT + 2 * HOUR]
        await sleep_until(NEXT + 3 * HOUR + 5)
        assert cloud.count("start") == len(starts) + 1, "the next one takes place"


@in_virtual_time
@pytest.mark.parametrize("after", [0.02, 0.3, 30.0, 95.0])
@pytest.mark.parametrize("away", [1.0, 60.0, 300.0])
async def test_a_control_plane_that_dies_around_a_run_starts_no_second_one(
    tmp_path: Path, after: float, away: float
) -> None:
    cloud, front = Cloud(), FakeFront()
    cloud.weather.returning = 0.1
    async with a_house(tmp_path, cloud, front) as house:
        add(house)
        takes(house, 90.0)
        await started(house, 1)
        await asyncio.sleep(after)
    await asyncio.sleep(away)
    async with a_house(tmp_path, cloud, front) as house:
        restored = (await house.journal.restore())[JOB]
        add(house, restored=restored, handles=restore.handles(restored))
        await done(house)
        await sleep_until(NEXT + 0.9 * HOUR)
        lives = {copy.life for _, copy in cloud._copies if copy is not None}
        forgotten = after == 0.02 and away > 90  # begun, over, and nobody had written that it began
        assert len(lives) <= (2 if forgotten else 1)
        assert len(await house.events(Kind.DONE)) == 1


@in_virtual_time
async def test_a_run_that_is_over_before_anybody_looks_is_done_all_the_same(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        add(house)
        takes(house, 0.01)
        (event,) = await done(house)
        assert event.detail["exit_code"] == 3
        assert await house.events(Kind.FAILED) == []


@in_virtual_time
async def test_a_start_that_failed_is_tried_again_and_the_run_takes_place(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        add(house)
        takes(house, 5.0)
        house.cloud.weather.start = "error"
        await started(house, 3)
        house.cloud.weather.start = "ok"
        (event,) = await done(house)
        assert event.detail["last_run"] == NEXT


@in_virtual_time
async def test_woken_by_a_person_it_runs_once(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = add(house)
        takes(house, 5.0)
        await house.becomes("asleep", name=JOB)
        await house.desk.wake(JOB, None, "by ada")
        await done(house)
        assert facts.hand is None
        await asyncio.sleep(20)
        assert house.cloud.count("start") == 1
        (start,) = await house.events(Kind.START)
        assert start.reason == "started by ada"
        assert len(await house.events(Kind.AUTO)) == 1


@in_virtual_time
async def test_put_to_sleep_it_waits_until_it_is_given_back_and_a_run_is_not_cut(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = add(house)
        takes(house, 600.0)
        await house.becomes("awake", 70, JOB)
        await house.desk.sleep(JOB, "by ada")
        await house.becomes("draining", 10, JOB)
        await done(house)
        assert house.cloud.count("stop") == 0
        await asyncio.sleep(3 * HOUR)
        assert house.cloud.count("start") == 1, "it holds over its hours"
        facts.hand = Hand(HandKind.SLEEP, clock.now().mono, force=True)
        await house.desk.auto(JOB, "by ada")
        await started(house, 2)


@in_virtual_time
async def test_cut_by_force_it_ends_at_once(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = add(house)
        takes(house, 600.0)
        await house.becomes("awake", 70, JOB)
        facts.hand = Hand(HandKind.SLEEP, clock.now().mono, force=True)
        house.reconciler.nudge(JOB)
        await house.becomes("asleep", 10, JOB)
        assert house.cloud.count("stop") == 1
        assert await house.events(Kind.DONE) == []
