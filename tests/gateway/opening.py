"""Opening hours for tests, written as people do: days from a Wednesday, and times of the clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from poorwill.core.hours import OpeningHours

ZONE = "Asia/Shanghai"
WEDNESDAY = date(2026, 11, 25)


def at(text: str, zone: str = ZONE) -> float:
    """``1 09:00`` is the day after that Wednesday, at nine."""
    ahead, _, time = text.partition(" ")
    hour, minute = map(int, time.split(":"))
    day = WEDNESDAY + timedelta(days=int(ahead))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone)).timestamp()


def hours(*openings: tuple[str, str | None], zone: str = ZONE) -> OpeningHours:
    return OpeningHours(
        zone, tuple((at(start, zone), at(stop, zone) if stop else None) for start, stop in openings)
    )


NOW = at("0 20:00")
OFFICE = hours(*((f"{day} 09:00", f"{day} 18:00") for day in (1, 2, 5, 6)))
