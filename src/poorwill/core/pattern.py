"""What repeats in a schedule: windows as the clock on the wall counts them, by the day they begin on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from poorwill.core.cron import Cron
from poorwill.core.localtime import at, second_pass, span, start_of

DAY = timedelta(days=1)
FOUR_YEARS = 4 * 365 + 1
LONGEST = 3000
"""Days after which nothing is looked for any more: the 29th of February may be eight years away."""
LONGEST_CHANGE = timedelta(hours=3)
"""No zone moves its clocks by more at once."""
_SOME_MONDAY = date(2024, 1, 1)

Window = tuple[datetime, datetime]
Span = tuple[float, float]


class Pattern(Protocol):
    """``weekdays``: whether the days of the week decide, so that a make-up workday can stand for another."""

    @property
    def weekdays(self) -> bool: ...

    @property
    def period(self) -> int:
        """Days after which it repeats, or nearly so."""

    @property
    def reach(self) -> int:
        """Days that a window may last, rounded up."""

    def on(self, day: date) -> tuple[Window, ...]:
        """The windows that begin on this day, in order."""

    def spans(self, window: Window, zone: str) -> tuple[Span, ...]:
        """The instants of a window; two spans where the clocks show its start twice and both count."""


@dataclass(frozen=True, slots=True)
class Spell:
    """The same hours on some days of the week (0 is Monday); ``stop`` may be past midnight, up to 2880."""

    days: frozenset[int]
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Weekly:
    """``Mon-Fri 09:00-18:00``, taken apart."""

    spells: tuple[Spell, ...]
    weekdays: bool = True
    period: int = 7
    reach: int = 2

    def on(self, day: date) -> tuple[Window, ...]:
        here = [spell for spell in self.spells if day.weekday() in spell.days]
        return tuple(sorted((at(day, spell.start), at(day, spell.stop)) for spell in here))

    def spans(self, window: Window, zone: str) -> tuple[Span, ...]:
        return (span(*window, zone),)


@dataclass(frozen=True, slots=True)
class Dated:
    """Hours on one date, once; ``spells`` are (start, stop) in minutes after its midnight."""

    day: date
    spells: tuple[tuple[int, int], ...]
    weekdays: bool = False
    period: int = 1
    reach: int = 2

    def on(self, day: date) -> tuple[Window, ...]:
        return (
            tuple((at(day, start), at(day, stop)) for start, stop in self.spells) if day == self.day else ()
        )

    def spans(self, window: Window, zone: str) -> tuple[Span, ...]:
        return (span(*window, zone),)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two cron lines: each start opens a window, and the next stop after it closes it."""

    start: Cron
    stop: Cron

    @property
    def weekdays(self) -> bool:
        return self.start.names_weekdays

    @property
    def period(self) -> int:
        return 7 if self.start.weekly and self.stop.weekly else FOUR_YEARS

    @property
    def reach(self) -> int:
        return _longest(self)

    def on(self, day: date) -> tuple[Window, ...]:
        if not self.start.on(day):
            return ()
        windows: list[Window] = []
        for minute in self.start.minutes:
            stop = self._stop_after(at(day, minute))
            # A start while it is open, with the same stop to come, adds nothing.
            if stop is not None and (not windows or windows[-1][1] != stop):
                windows.append((at(day, minute), stop))
        return tuple(windows)

    def spans(self, window: Window, zone: str) -> tuple[Span, ...]:
        start, stop = window
        begins, ends = span(start, stop, zone)
        if self.stop.every_hour:
            ends = min([ends, *(again for again in self._repeated_stops(window, zone) if again > begins)])
        again = second_pass(start, zone) if self.start.every_hour else None
        if again is None:
            return ((begins, ends),)
        return (begins, ends), (again, again + (stop - start).total_seconds())

    def _repeated_stops(self, window: Window, zone: str) -> Iterator[float]:
        """Stops in the second pass of a repeated hour: they may come before one earlier on the clock."""
        start, stop = (moment.replace(tzinfo=ZoneInfo(zone)) for moment in window)
        if start.utcoffset() == stop.utcoffset():
            return
        moment = self._stop_after(window[0] - LONGEST_CHANGE)
        while moment is not None and moment < window[1]:
            if (again := second_pass(moment, zone)) is not None:
                yield again
            moment = self._stop_after(moment)

    def _stop_after(self, moment: datetime) -> datetime | None:
        day, minute = moment.date(), moment.hour * 60 + moment.minute
        later = bisect_right(self.stop.minutes, minute)
        if later < len(self.stop.minutes) and self.stop.on(day):
            return at(day, self.stop.minutes[later])
        following = _next_day(self.stop, day)
        return at(following, self.stop.minutes[0]) if following is not None else None


@dataclass(frozen=True, slots=True)
class Starts:
    """A cron line alone: its windows have no length."""

    start: Cron
    reach: int = 1

    @property
    def weekdays(self) -> bool:
        return self.start.names_weekdays

    @property
    def period(self) -> int:
        return 7 if self.start.weekly else FOUR_YEARS

    def on(self, day: date) -> tuple[Window, ...]:
        if not self.start.on(day):
            return ()
        return tuple((moment, moment) for moment in (at(day, minute) for minute in self.start.minutes))

    def spans(self, window: Window, zone: str) -> tuple[Span, ...]:
        starts = [start_of(window[0], zone)]
        again = second_pass(window[0], zone) if self.start.every_hour else None
        starts += [] if again is None else [again]
        return tuple((start, start) for start in starts)


@lru_cache(maxsize=4096)
def _next_day(line: Cron, day: date) -> date | None:
    later = (day + ahead * DAY for ahead in range(1, LONGEST))
    return next((found for found in later if line.on(found)), None)


@lru_cache(maxsize=1024)
def _longest(pair: Pair) -> int:
    days = (_SOME_MONDAY + ahead * DAY for ahead in range(pair.period))
    lengths = [stop - start for day in days for start, stop in pair.on(day)]
    return max(lengths, default=DAY).days + 1
