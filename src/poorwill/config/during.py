"""Hours to come as a person says them at the command line: ``Saturday 10:00-14:00``, ``tomorrow 9-12``."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from poorwill.errors import BadInput

_HINT = "write a day and hours: Saturday 10:00-14:00, tomorrow 9-12, 2026-11-28 22:00-02:00"
_WORDS = re.compile(r"(?:(?P<day>\S+)\s+)?(?P<start>[\d:]+)\s*(?:-|–|to)\s*(?P<stop>[\d:]+)", re.IGNORECASE)
_TIME = re.compile(r"(?P<hour>\d{1,2})(?::(?P<minute>[0-5]\d))?")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def parse_during(text: str, zone: str, wall: float) -> tuple[float, float]:
    """Start and stop in seconds since the epoch; ``wall`` is now. Without a day it is today.

    A weekday is the next one whose hours are not over; a stop before the start is on the next day. Raises
    BadInput, also for hours that are over.
    """
    match = _WORDS.fullmatch(text.strip())
    if match is None:
        raise BadInput(f"{text!r} is not understood", hint=_HINT)
    local = ZoneInfo(zone)
    today = datetime.fromtimestamp(wall, local).date()
    start, stop = _minutes(match["start"], text), _minutes(match["stop"], text)
    for day in _candidates(match["day"], today, text):
        until = stop if stop > start else stop + 24 * 60
        begin, end = (_instant(day, minutes, local) for minutes in (start, until))
        if end > wall:
            return begin, end
    raise BadInput(f"{text!r} is over already", hint=_HINT)


def _candidates(word: str | None, today: date, text: str) -> list[date]:
    name = (word or "today").lower().rstrip(",")
    if name in ("today", "tomorrow"):
        return [today + timedelta(days=name == "tomorrow")]
    if len(name) >= 3 and (found := [day for day in _DAYS if day.startswith(name)]):
        ahead = (_DAYS.index(found[0]) - today.weekday()) % 7
        # A week earlier, it may be a night that began yesterday.
        return [today + timedelta(days=ahead + week) for week in (-7, 0, 7)]
    try:
        return [date.fromisoformat(name)]
    except ValueError:
        raise BadInput(f"{word!r} in {text!r} is no day", hint=_HINT) from None


def _minutes(text: str, whole: str) -> int:
    match = _TIME.fullmatch(text)
    minutes = int(match["hour"]) * 60 + int(match["minute"] or 0) if match else -1
    if not 0 <= minutes <= 24 * 60:
        raise BadInput(f"{text!r} in {whole!r} is no time of day", hint=_HINT)
    return minutes


def _instant(day: date, minutes: int, zone: ZoneInfo) -> float:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (midnight + timedelta(minutes=minutes)).timestamp()  # the clock on the wall goes on by this much
