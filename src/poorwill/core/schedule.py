"""The hours of a service: open now, until when, and when next.

Pure: an instant in (seconds since the epoch), the answer out. Which instant a local time is, says
``core.localtime``; what repeats and what does not, ``core.rule``. Windows that overlap or touch are one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from poorwill.core.localtime import at, day_of, start_of
from poorwill.core.pattern import DAY, LONGEST, Window
from poorwill.core.rule import Rule
from poorwill.core.run import Run

JOIN = "; "
"""Between the texts of windows that are one."""
_ENDLESS = 400
"""Days without a break after which a window counts as one that never closes. Holidays recur sooner."""
_MEMO = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class Opening:
    """``stop`` None: it never closes; then ``start`` is 0 when it never opened either.

    ``text`` is what opens it, as written. ``led``: the service is to be ready at ``start``.
    """

    start: float
    stop: float | None
    text: str
    led: bool = False


@dataclass(frozen=True, slots=True)
class Hours:
    """``change_at`` is when this answer changes by itself; None: not for years."""

    current: Opening | None
    next: Opening | None
    change_at: float | None


@dataclass(frozen=True, slots=True)
class Timetable:
    """``dates`` are one-off windows, which open on a date in ``closed`` too; nothing else does.

    Two are equal when they say the same; the memo of the last answer never changes one.
    """

    zone: str
    rules: tuple[Rule, ...] = ()
    dates: tuple[Rule, ...] = ()
    closed: frozenset[date] = frozenset()
    runs: tuple[Run, ...] = ()
    _memo: list[tuple[float, float, Hours]] = field(
        default_factory=list, init=False, compare=False, repr=False
    )

    @property
    def has_windows(self) -> bool:
        """False when there are only runs: then there are no hours, and ``hours`` knows of nothing."""
        return bool(self.rules or self.dates)

    def hours(self, wall: float) -> Hours:
        """What is open at this instant, and what comes next."""
        for start, end, known in self._memo:
            if start <= wall < end:
                return known
        current = self._at(wall) if self.has_windows else None
        following = self._after(current.stop if current else wall) if self.has_windows else None
        change_at = current.stop if current else following.start if following else None
        answer = Hours(current, following, change_at)
        self._memo[:] = [(wall, wall + _MEMO if change_at is None else change_at, answer)]
        return answer

    def openings(self, wall: float, days: int = 7) -> tuple[Opening, ...]:
        """What is open from now on, in order. The one under way has its true start."""
        end = wall + days * 86400
        hours = self.hours(wall)
        first = hours.current or hours.next
        if first is None or first.start >= end:
            return ()
        if first.stop is None:
            return (first,)
        margin = self._reach * DAY
        begun = self._begun(day_of(first.stop, self.zone) - margin, day_of(end, self.zone) + margin)
        rest = [opening for opening in begun if first.stop < opening.start < end]
        # The last may go on beyond what was looked at.
        rest[-1:] = [self._at(opening.start) or opening for opening in rest[-1:]]
        return (first, *rest)

    @property
    def _reach(self) -> int:
        return max((rule.pattern.reach for rule in (*self.rules, *self.dates)), default=1) + 1

    @property
    def _beyond(self) -> tuple[date, date]:
        """The first and the last date that is written down: what repeats may be different around them."""
        written = {day for rule in (*self.rules, *self.dates) for day in (*rule.excepted, *rule.added)}
        written |= self.closed
        return min(written, default=date.max), max(written, default=date.min)

    def _at(self, wall: float) -> Opening | None:
        """The whole of what is open at this instant."""
        today, reach = day_of(wall, self.zone), self._reach
        earliest = min(self._beyond[0], today) - _ENDLESS * DAY
        latest = max(self._beyond[1], today) + _ENDLESS * DAY
        first, last = today - 2 * reach * DAY, today + reach * DAY
        while True:
            begun = self._begun(first, last)
            found = next((one for one in begun if one.start <= wall and wall < (one.stop or 0)), None)
            if found is None or found.stop is None:
                return found
            # Something begun before `first`, or after `last`, could touch it.
            more_before = found.start <= start_of(at(first + reach * DAY, 0), self.zone)
            more_after = found.stop >= start_of(at(last, 0), self.zone)
            if more_before and first <= earliest:
                found, more_before = replace(found, start=0.0), False
            if more_after and last >= latest:
                found, more_after = replace(found, stop=None), False
            if not more_before and not more_after:
                return found
            first = max(first - (today - first), earliest) if more_before else first
            last = min(last + (last - today), latest) if more_after else last

    def _after(self, wall: float | None) -> Opening | None:
        """The first that begins after this instant; None: nothing for years."""
        if wall is None:
            return None
        reach = self._reach
        first = day_of(wall, self.zone) - reach * DAY
        ahead = 2 * reach
        end = max(self._beyond[1], first + LONGEST * DAY)
        while first <= end:
            last = first + ahead * DAY
            for opening in self._begun(first, last):
                if opening.start > wall:
                    return self._at(opening.start)
            # A closed date may cut a window in two: its second part begins later than it.
            first, ahead = last - reach * DAY, 2 * ahead
        return None

    def _begun(self, first: date, last: date) -> list[Opening]:
        """What begins on these days, merged. At the edges something may be missing."""
        days = [first + ahead * DAY for ahead in range((last - first).days + 1)]
        found: list[Opening] = []
        for rule in self.rules:
            for day in days:
                for window in rule.on(day):
                    if day not in self.closed or window[1] - window[0] > DAY:
                        found += self._open_part(self._openings(rule, window))
        for rule in self.dates:
            for day in days:
                for window in rule.on(day):
                    found += self._openings(rule, window)
        return _merged(found)

    def _openings(self, rule: Rule, window: Window) -> list[Opening]:
        spans = rule.pattern.spans(window, self.zone)
        return [Opening(start, stop, rule.text, rule.led) for start, stop in spans]

    def _open_part(self, openings: list[Opening]) -> list[Opening]:
        """Without the closed dates."""
        for day in sorted(self.closed):
            shut, again = start_of(at(day, 0), self.zone), start_of(at(day + DAY, 0), self.zone)
            openings = [part for opening in openings for part in _without(opening, shut, again)]
        return openings


def _without(opening: Opening, shut: float, again: float) -> list[Opening]:
    stop = opening.stop
    if stop is None or stop <= shut or opening.start >= again:
        return [opening]
    parts = [replace(opening, stop=shut)] if opening.start < shut else []
    return [*parts, replace(opening, start=again, led=False)] if stop > again else parts


def _merged(openings: list[Opening]) -> list[Opening]:
    merged: list[Opening] = []
    for opening in sorted(openings, key=lambda one: (one.start, not one.led, one.text)):
        last = merged[-1] if merged else None
        if last is None or last.stop is None or opening.stop is None or opening.start > last.stop:
            merged.append(opening)
            continue
        texts = dict.fromkeys([*last.text.split(JOIN), opening.text])
        merged[-1] = replace(last, stop=max(last.stop, opening.stop), text=JOIN.join(texts))
    return merged
