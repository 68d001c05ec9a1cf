"""How far from its minute a window begins and ends, over a year of virtual time.

The control room is the real one; the place, the gateway and the clock are the tests' own. Looks at the place
are made rarer than in real life, because a year has six million of them: windows do not depend on them.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path
from unittest.mock import patch

import structlog
from tests.control.house import NAME, a_house
from tests.control.virtual_time import WALL, virtual_loop
from tests.core.timetables import table

from bench.figures import Figure
from poorwill import clock
from poorwill.control import observer, reconcile
from poorwill.core.model import OnRequest, Service
from poorwill.store.journal import Kind

DAY = 86400.0
YEAR = 366 * DAY
PLACES = {
    "Asia/Shanghai": {"hours": "Mon-Fri 09:00-18:00", "holidays": "CN"},
    "America/New_York": {"hours": "Sun-Thu 22:00-02:30"},
}


def measure() -> list[Figure]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    off: list[float] = []
    with (
        patch.object(observer, "LOOK_EVERY", DAY / 4),
        patch.object(reconcile, "CLOCK_CHECK", DAY),
        patch.object(reconcile, "READ_AWAKE", DAY / 4),
        tempfile.TemporaryDirectory() as folder,
    ):
        for zone, entry in PLACES.items():
            home = Path(folder) / zone.replace("/", "-")
            home.mkdir()
            with virtual_loop() as loop:
                off += loop.run_until_complete(_year(home, zone, entry))
    return [
        Figure("windows opened and closed in a virtual year, in two zones", len(off), ""),
        Figure("a start or stop, from the minute of its window: longest", max(off), "s", "1"),
    ]


async def _year(folder: Path, zone: str, entry: dict[str, str]) -> list[float]:
    """Seconds from each opening and closing to the intent in the journal."""
    hours = table(entry, zone=zone)
    async with a_house(folder) as house:
        house.cloud.weather.running_after = house.cloud.weather.ready_after = 0.0
        rules = Service(NAME, DAY, 10.0, 40.0, on_request=OnRequest.CLOSED, timetable=hours)
        facts = house.add(rules=rules)  # a service is read four times in its idle time: seldom, here
        facts.provider.stale_after = YEAR
        await asyncio.sleep(YEAR)
        end = clock.now().wall
        starts, stops = await house.events(Kind.START), await house.events(Kind.STOP)
    begins = WALL + 60  # what was open already does not count
    all_of_them = hours.openings(WALL, int(YEAR / DAY))
    openings = [one for one in all_of_them if begins < one.start and (one.stop or end) < end - 60]
    first = openings[0].start
    told = [
        [event.at for event in events if first <= event.at < end - 60][: len(openings)]
        for events in (starts, stops)
    ]
    wanted = [one.start for one in openings], [one.stop or 0.0 for one in openings]
    return [
        abs(at - due)
        for events, moments in zip(told, wanted, strict=True)
        for at, due in zip(events, moments, strict=True)
    ]
