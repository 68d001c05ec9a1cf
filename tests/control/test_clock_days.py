"""Hours on the days on which clocks change or are set, and a person's word beyond closing time."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.control.house import NAME, House, a_house
from tests.control.test_windows import CLOSES, OPENS, add, sleep_until
from tests.control.virtual_time import WALL, in_virtual_time, running, until
from tests.core.timetables import table, wall

from poorwill import clock
from poorwill.control.reconcile import CLOCK_CHECK
from poorwill.core.model import Service
from poorwill.store.journal import Kind

BERLIN = "Europe/Berlin"


async def told(house: House, kind: Kind) -> list[str]:
    """When it was, as the clocks of the place show it."""
    events = await house.events(kind)
    return [f"{datetime.fromtimestamp(event.at, ZoneInfo(BERLIN)):%H:%M}" for event in events]


@in_virtual_time
@pytest.mark.parametrize(
    ("day", "hours", "starts", "stops"),
    [
        ("2027-03-28", "01:00-04:00", ["01:00"], ["04:00"]),  # two hours long
        ("2027-03-28", "02:30-05:00", ["03:00"], ["05:00"]),  # there is no 02:30
        ("2027-10-31", "01:00-04:00", ["01:00"], ["04:00"]),  # four hours long
        ("2027-10-31", "02:30-02:45", ["02:30"], ["02:45"]),  # there are two of them
    ],
)
async def test_days_on_which_the_clocks_change(
    tmp_path: Path, day: str, hours: str, starts: list[str], stops: list[str]
) -> None:
    running().wall_offset = wall(f"{day} 00:30", BERLIN) - WALL
    async with a_house(tmp_path) as house:
        timetable = table({"date": day, "hours": hours}, zone=BERLIN)
        house.add(rules=Service(NAME, 60.0, 10.0, 40.0, timetable=timetable))
        await asyncio.sleep(7 * 3600)
        assert house.phase() == "asleep"
        assert await told(house, Kind.START) == starts
        assert await told(house, Kind.STOP) == stops


@in_virtual_time
@pytest.mark.parametrize("hour", [3600.0, -3600.0])
async def test_a_clock_set_by_an_hour_is_noticed_in_time(tmp_path: Path, hour: float) -> None:
    """Forward it opens at once; back, a window that has just opened is one that opens in an hour."""
    async with a_house(tmp_path) as house:
        add(house)
        await sleep_until(OPENS - 300 if hour > 0 else OPENS + 300)
        before = house.phase()
        running().wall_offset += hour
        took = await until(lambda: house.phase() != before, 60 + CLOCK_CHECK + 6, "it follows")
        assert took <= CLOCK_CHECK + 6
        await house.becomes("awake" if hour > 0 else "asleep", 90)
        row = house.desk.status()[0]
        assert row["next_change"] is None or row["next_change"] > row["since"]
        await sleep_until(OPENS + 600)
        assert house.phase() == "awake"
        await sleep_until(CLOSES + 60)
        await house.becomes("asleep", 60)


@in_virtual_time
async def test_no_wake_takes_less_than_nothing_when_the_clock_is_set_back(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = house.add()
        house.cloud.weather.ready_after = 20.0
        house.front.ask()
        await house.becomes("waking")
        await asyncio.sleep(5)
        running().wall_offset -= 3600.0
        await house.becomes("awake")
        assert list(facts.wakes) == [pytest.approx(20, abs=1)]


@in_virtual_time
async def test_kept_awake_by_hand_beyond_closing_time(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        add(house)
        await sleep_until(CLOSES - 600)
        row = await house.desk.wake(NAME, 1800.0, "by ada")
        assert row["hand_until"] == "2027-01-15T10:20:00.000+00:00"
        await sleep_until(CLOSES + 1190)
        assert (house.phase(), house.desk.status()[0]["rule"]) == ("awake", "wake")
        await house.becomes("asleep", 30)
        assert clock.now().wall == pytest.approx(CLOSES + 1200, abs=1)
        assert house.cloud.count("start") == 1


@in_virtual_time
async def test_sleep_in_a_window_ends_with_the_next_and_a_wake_before_that_ends_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        add(house, {"hours": "Fri 09:00-10:00, 11:00-12:00"})
        await sleep_until(OPENS + 60)
        await house.desk.sleep(NAME, "by ada")
        await house.becomes("asleep", 30)
        await sleep_until(OPENS + 1800)
        assert house.phase() == "asleep"
        await house.desk.wake(NAME, 60.0, "by ada")
        await house.becomes("awake", 30)
        await asyncio.sleep(120)
        assert house.desk.status()[0]["rule"] == "window", "the last word is over, and it is open"
        await house.desk.sleep(NAME, "by ada")
        await sleep_until(OPENS + 2 * 3600 + 10)
        assert (house.phase(), house.desk.status()[0]["rule"]) == ("awake", "window")
