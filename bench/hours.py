"""How far starts and stops by the hour are from their minute, over a year of virtual time.

The real control room and the real timetable, with the tests' place and clock. The year has both changes of
the clocks, a window across each of them, and the holidays and make-up workdays of China. What looks at
places and counters in between does so rarely here, so that a year takes seconds: windows do not wait for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import pytest
import structlog
from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import a_house
from tests.control.virtual_time import WALL, virtual_loop
from tests.core.timetables import table

from bench.figures import Figure, folder
from poorwill import clock
from poorwill.control import observer, reconcile
from poorwill.core.model import Service
from poorwill.core.schedule import Timetable

DAY = 86400.0
DAYS = 366
HALF_AN_HOUR = 1800.0  # the year is over amid a window, not at its start
NAME = "office"
OFFICE = {"hours": "Mon-Fri 09:00-18:00", "holidays": "CN"}
NIGHT = {"hours": "Sat 20:00-03:30"}
HOURS = table(OFFICE, NIGHT, zone="Europe/Berlin")
RARELY = 6 * 3600.0


def measure(days: int = DAYS) -> list[Figure]:
    begun = time.monotonic()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with folder() as home, pytest.MonkeyPatch.context() as patch, virtual_loop() as loop:
        patch.setattr(observer, "LOOK_EVERY", RARELY)
        patch.setattr(reconcile, "CLOCK_CHECK", RARELY)
        patch.setattr(reconcile, "READ_AWAKE", RARELY)
        calls = loop.run_until_complete(_a_year(home, days))
    expected = _minutes(HOURS, days)
    if [name for name, _ in calls] != [name for name, _ in expected]:
        raise RuntimeError(f"{len(calls)} starts and stops where there should be {len(expected)}")
    far = [at - minute for (_, at), (_, minute) in zip(calls, expected, strict=True)]
    return [
        Figure(f"starts and stops by the hour in {days} days", len(far), "calls"),
        Figure("farthest of them from its minute", max(map(abs, far)), "s", "within 1 s"),
        Figure("time that took", time.monotonic() - begun, "s"),
    ]


async def _a_year(home: Path, days: int) -> list[tuple[str, float]]:
    """Each call to the place, and when it was made by the clock on the wall."""
    calls: list[tuple[str, float]] = []
    cloud = Cloud()
    cloud.weather.running_after = cloud.weather.ready_after = 0.0  # nobody would look in time
    cloud.on_start = lambda _: calls.append(("start", clock.now().wall))
    cloud.on_stop = lambda _: calls.append(("stop", clock.now().wall))
    rules = Service(NAME, idle_after=4 * 3600.0, drain=10.0, start_timeout=40.0, timetable=HOURS)
    async with a_house(home, cloud) as house:
        house.add(name=NAME, rules=rules, provider=FakeProvider(cloud, stale_after=10 * RARELY))
        await asyncio.sleep(days * DAY + HALF_AN_HOUR)
    return calls


def _minutes(hours: Timetable, days: int) -> list[tuple[str, float]]:
    """What should happen, and when."""
    moments: list[tuple[str, float]] = []
    for opening in hours.openings(WALL, days + 1):
        moments += [("start", opening.start), ("stop", opening.stop or 0.0)]
    return [(name, at) for name, at in moments if WALL <= at < WALL + days * DAY + HALF_AN_HOUR]
