"""A time cut into the hours that the clock on the wall shows, also on days when the clocks change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from poorwill.core.localtime import change_between, local

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class ClockHour:
    """``weekday`` 0 is Monday, ``hour`` is 0 to 23. At the edges, and where the clocks change, it may be
    less than an hour; an hour that the clocks show twice comes twice.
    """

    start: float
    stop: float
    weekday: int
    hour: int


def clock_hours(since: float, until: float, zone: str) -> Iterator[ClockHour]:
    """In order, without a gap."""
    start = since
    while start < until:
        shown = local(start, zone)
        passed = shown.minute * 60 + shown.second + shown.microsecond / 1e6
        stop = start + HOUR - passed
        if local(stop, zone).utcoffset() != shown.utcoffset():
            stop = min(stop, float(change_between(int(start), int(stop) + 1, zone)))
        yield ClockHour(start, min(stop, until), shown.weekday(), shown.hour)
        start = stop
