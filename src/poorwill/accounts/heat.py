"""When a service is used: its month laid over one week, hour by hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from poorwill.core.clockhours import ClockHour, clock_hours
from poorwill.core.spans import Span, clip, minus, total, union

DAYS = 7
HOURS = 24


@dataclass(frozen=True, slots=True)
class Cell:
    """One hour of one weekday, all of them in the month together: how many seconds of it there were, in how
    many of these the service was in use, and in how many it was awake and nobody was there.
    """

    seconds: float = 0.0
    used: float = 0.0
    empty: float = 0.0

    @property
    def use(self) -> float:
        """The part of the time in which it was in use, 0 to 1."""
        return self.used / self.seconds if self.seconds else 0.0

    @property
    def waste(self) -> float:
        """The part of the time in which it was awake and nobody was there."""
        return self.empty / self.seconds if self.seconds else 0.0


Heat = tuple[tuple[Cell, ...], ...]
"""Seven days from Monday on, each of 24 hours."""


def heat(
    used: Sequence[Span],
    empty: Sequence[Span],
    since: float,
    until: float,
    zone: str,
    gaps: Sequence[Span] = (),
) -> Heat:
    """Divided by the time that there was, so that a month with five Mondays, an hour that the clocks show
    twice, and a month that is not over are measured by the same rule. Of what lies in ``gaps`` nothing is
    known, so it was not there.
    """
    hours = list(clock_hours(since, until, zone))
    known = minus([(since, until)], gaps) if since < until else []
    parts = zip(hours, *(_within(spans, hours) for spans in (known, used, empty)), strict=True)
    sums = [[[0.0, 0.0, 0.0] for _ in range(HOURS)] for _ in range(DAYS)]
    for hour, seconds, in_use, alone in parts:
        cell = sums[hour.weekday][hour.hour]
        cell[0] += seconds
        cell[1] += in_use
        cell[2] += alone
    return tuple(tuple(Cell(*cell) for cell in day) for day in sums)


def whole_hours(spans: Sequence[Span], since: float, until: float, zone: str) -> list[ClockHour]:
    """The hours of the clock that lie in the spans from beginning to end."""
    hours = [one for one in clock_hours(since, until, zone) if one.stop - one.start >= 3599.0]
    found = zip(hours, _within(spans, hours), strict=True)
    return [hour for hour, seconds in found if seconds >= hour.stop - hour.start - 1.0]


def _within(spans: Sequence[Span], hours: Sequence[ClockHour]) -> list[float]:
    """How many seconds of each hour are in the spans; both are walked through once."""
    ordered, first, found = union(spans), 0, []
    for hour in hours:
        while first < len(ordered) and ordered[first][1] <= hour.start:
            first += 1
        last = first
        while last < len(ordered) and ordered[last][0] < hour.stop:
            last += 1
        found.append(total(clip(ordered[first:last], hour.start, hour.stop)))
    return found
