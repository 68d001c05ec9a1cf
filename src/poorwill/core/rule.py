"""One entry of a schedule: what repeats, and the days on which it is otherwise.

- On a public holiday and on an excepted date no window (and no run) begins.
- A *make-up workday* (a Saturday or Sunday that a country works, to make up for a day off) has the windows
  of that week's Friday; where there are none on Fridays, those of Thursday, and so on back to Monday. An
  entry that is for weekends only, or that names no weekdays, stays as it is.
- An added date has its own windows, or else those of the latest day before it that has any.

The day of a window is the one on which it begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from poorwill.core.holidays import holiday, makes_up
from poorwill.core.pattern import DAY, Pattern, Window

_FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """``text`` is the entry as people wrote it. ``led``: its windows begin with the service ready."""

    text: str
    pattern: Pattern
    led: bool = False
    holidays: tuple[str, ...] = ()
    excepted: frozenset[date] = frozenset()
    added: frozenset[date] = frozenset()

    def on(self, day: date) -> tuple[Window, ...]:
        """The windows that begin on this day, as the clock on the wall counts them."""
        if day in self.added:
            return self.pattern.on(day) or self._like(day, self._latest_before(day))
        if self.holidays or self.excepted:
            if self.closed(day):
                return ()
            if self.pattern.weekdays and makes_up(self.holidays, day):
                return self._like(day, self._workday_before(day)) or self.pattern.on(day)
        return self.pattern.on(day)

    def closed(self, day: date) -> str:
        """Why nothing begins on this day whatever the pattern says; empty when nothing is in the way."""
        if day in self.added:
            return ""
        if day in self.excepted:
            return "excepted"
        name = holiday(self.holidays, day)
        return f"holiday: {name}" if name else ""

    def extra(self, day: date) -> str:
        """Why windows begin on a day that is none of the pattern's."""
        if self.pattern.on(day) or not self.on(day):
            return ""
        return "added" if day in self.added else "make-up workday"

    def _like(self, day: date, other: date | None) -> tuple[Window, ...]:
        if other is None:
            return ()
        moved = day - other
        return tuple((start + moved, stop + moved) for start, stop in self.pattern.on(other))

    def _workday_before(self, day: date) -> date | None:
        friday = day - (day.weekday() - _FRIDAY) * DAY
        week = [friday - back * DAY for back in range(_FRIDAY + 1)]
        return next((other for other in week if self.pattern.on(other)), None)

    def _latest_before(self, day: date) -> date | None:
        before = (day - back * DAY for back in range(1, self.pattern.period + 1))
        return next((other for other in before if self.pattern.on(other)), None)
