"""Timetables as users write them, and the moments the tests about hours are set at."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from poorwill.config.schedule import Schedule, timetable
from poorwill.core.model import Now
from poorwill.core.schedule import Timetable

_SCHEDULE = TypeAdapter(Schedule)
MONO = 1_000.0


def table(*entries: Any, zone: str = "UTC") -> Timetable:
    """``table("Mon-Fri 09:00-18:00", {"start": "0 6 * * *", "until": "done"})``."""
    made = timetable(_SCHEDULE.validate_python(list(entries)), zone)
    assert made is not None
    return made


def wall(text: str, zone: str = "UTC") -> float:
    """Seconds since the epoch of ``2026-11-25 09:00``, a Wednesday, as the clocks of the zone show it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def at(text: str, mono: float = MONO, zone: str = "UTC") -> Now:
    return Now(wall(text, zone), mono, "boot-1")
