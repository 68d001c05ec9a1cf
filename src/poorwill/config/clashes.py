"""What cannot be between the entries of one schedule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations

from poorwill.config.claims import Complaint
from poorwill.config.complaint import wrong
from poorwill.config.moments import Moments
from poorwill.core.pattern import DAY, Pattern, Weekly, Window
from poorwill.core.rule import Rule

_MONDAY = date(2024, 1, 1)
_A_YEAR = 400
_SIX_DAYS = 6 * DAY


def clashes(entries: Sequence[Moments]) -> list[Complaint]:
    """Jobs beside windows, windows that overlap, one-off hours that change nothing."""
    return list(_jobs(entries)) or [*_overlaps(entries), *_useless(entries)]


def _jobs(entries: Sequence[Moments]) -> Iterator[Complaint]:
    others = [index for index, entry in enumerate(entries) if _wakes_for_visitors(entry)]
    if not others:
        return
    for index, entry in enumerate(entries):
        if entry.until == "done":
            error = wrong(
                "a job (until: done) cannot stand beside what wakes the service for visitors",
                "give the job a service of its own",
                other=(others[0],),
            )
            yield (index, "until"), error, entry.until


def _wakes_for_visitors(entry: Moments) -> bool:
    return entry.until != "done" and not entry.closed


def _overlaps(entries: Sequence[Moments]) -> Iterator[Complaint]:
    repeated = [(index, entry.rule) for index, entry in enumerate(entries) if entry.repeats]
    for index, rule in repeated:
        if clash := _within(rule.pattern):
            error = wrong(f"two parts overlap on {_when(clash, recurs=True)}", _HINT)
            yield (index, "hours"), error, rule.text
    for (one, first), (two, second) in combinations(repeated, 2):
        if clash := _common(first.pattern, second.pattern):
            when = _when(clash, recurs=first.pattern.period == second.pattern.period == 7)
            yield (two,), wrong(f"{second.text} overlaps {first.text} on {when}", _HINT, other=(one,)), None
    dated = [(index, entry.rule) for index, entry in enumerate(entries) if entry.date and entry.hours]
    for (one, first), (two, second) in combinations(dated, 2):
        clash = _first_common(_windows(first, entries[one].date), _windows(second, entries[two].date))
        if clash:
            message = f"{second.text} overlaps {first.text}"
            yield (two,), wrong(message, _HINT, other=(one,)), None


_HINT = "let one begin when the other ends, or make one of both"


def _within(pattern: Pattern) -> Window | None:
    """Where two parts of readable hours overlap. Windows of cron lines may: several starts, one stop."""
    if not isinstance(pattern, Weekly):
        return None
    parts = [Weekly((spell,)) for spell in pattern.spells]
    return next((clash for one, two in combinations(parts, 2) if (clash := _common(one, two))), None)


def _common(one: Pattern, two: Pattern) -> Window | None:
    period = 14 if one.period == two.period == 7 else _A_YEAR
    days = [_MONDAY + ahead * DAY for ahead in range(-7, period)]
    return _first_common(*([window for day in days for window in pattern.on(day)] for pattern in (one, two)))


def _first_common(ones: Sequence[Window], twos: Sequence[Window]) -> Window | None:
    """Both are in order of their starts."""
    left, right = list(reversed(ones)), list(reversed(twos))
    while left and right:
        start, stop = max(left[-1][0], right[-1][0]), min(left[-1][1], right[-1][1])
        if start < stop:
            return start, stop
        (left if left[-1][1] <= right[-1][1] else right).pop()
    return None


def _windows(rule: Rule, day: date | None) -> tuple[Window, ...]:
    return rule.on(day) if day is not None else ()


def _useless(entries: Sequence[Moments]) -> Iterator[Complaint]:
    closed = {entry.date for entry in entries if entry.closed}
    rules = [entry.rule for entry in entries if entry.repeats]
    for index, entry in enumerate(entries):
        if entry.date is None or entry.closed or entry.date in closed:
            continue
        around = [entry.date - DAY, entry.date]
        for rule in rules:
            usual = [window for day in around for window in rule.on(day)]
            for start, stop in entry.rule.on(entry.date):
                if any(begin <= start and stop <= end for begin, end in usual):
                    message = f"{rule.text} is open then anyway"
                    hint = f"for other hours on that day add {{date: {entry.date}, closed: true}}"
                    yield (index, "hours"), wrong(message, hint), entry.hours


def _when(window: Window, *, recurs: bool) -> str:
    start, stop = window
    day = start.strftime("%a") if recurs else f"{start:%a} {start.day} {start:%b %Y}"
    end = "24:00" if stop.date() == start.date() + DAY and stop.hour == stop.minute == 0 else f"{stop:%H:%M}"
    if stop - start > DAY:
        end = f"{stop:%a %H:%M}"
    return f"{day} {start:%H:%M}-{end}"
