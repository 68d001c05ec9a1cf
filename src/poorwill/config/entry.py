"""What cannot be within one entry of a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pydantic_core import PydanticCustomError

from poorwill.config.claims import Complaint
from poorwill.config.complaint import Loc, wrong
from poorwill.config.hours import parse_hours, parse_times, time_text
from poorwill.config.moments import Moments, moment_text, on_days_of
from poorwill.core.pattern import DAY
from poorwill.core.rule import Rule

_DAY = 24 * 60
_BEGINNING = date(2024, 1, 1)
_YEARS = 8 * 366
"""The 29th of February may be eight years away."""


def entry_complaints(entry: Moments) -> list[Complaint]:
    """Everything that is wrong with the entry; what rests on something wrong is left out."""
    return list(_shape(entry)) or list(_values(entry)) or list(_never(entry))


def _given(entry: Moments) -> list[str]:
    names = {"hours": entry.hours, "start": entry.start, "stop": entry.stop, "ready_by": entry.ready_by}
    more = {"until": entry.until, "holidays": entry.holidays, "except": entry.excepted, "also": entry.added}
    return [name for name, value in (names | more).items() if value not in (None, ())]


def _shape(entry: Moments) -> Iterator[Complaint]:
    """Which keys stand together."""
    given = _given(entry)
    if entry.date is not None:
        yield from _beside_date(entry, given)
    elif entry.closed:
        yield _at("closed", "closed is for one date", "add date: 2026-12-24, or leave the hours out")
    elif entry.until is not None:
        for name in ("stop", "hours", "ready_by"):
            if name in given:
                end = "when it has ended" if entry.until == "done" else "after idle_after without use"
                yield _at(name, f"{name} has no use beside until: {entry.until}", f"it sleeps again {end}")
        if entry.start is None:
            yield _at("start", "missing", 'a cron line, such as start: "30 6 * * *"', about=("start",))
    elif entry.hours is not None:
        for name in ("start", "stop"):
            if name in given:
                yield _at(name, f"{name} has no use beside hours", "leave one of them out")
    else:
        yield from _pair(entry, given)
    if entry.until is None and entry.missed == "skip":
        yield _at("missed", "missed is for starts without an end", "add until: done or until: idle")


def _beside_date(entry: Moments, given: list[str]) -> Iterator[Complaint]:
    for name in given:
        if name != "hours":
            hint = 'a date has only hours, such as hours: "10:00-14:00"'
            yield _at(name, f"{name} has no use beside date", hint)
    if entry.closed and "hours" in given:
        hint = "write two entries to replace the hours of a day: one with closed, one with hours"
        yield _at("closed", "a date is either closed or has hours", hint)
    if not entry.closed and "hours" not in given:
        yield _at("hours", "missing", 'what is on that date? hours: "10:00-14:00", or closed: true')


def _pair(entry: Moments, given: list[str]) -> Iterator[Complaint]:
    if "start" in given and "ready_by" in given:
        yield _at("ready_by", "ready_by takes the place of start", "leave one of them out")
    if entry.start is None and entry.ready_by is None:
        what = 'a cron line, such as start: "0 9 * * 1-5"'
        hint = what if "stop" in given else "write hours: Mon-Fri 09:00-18:00, or start and stop"
        yield _at("start", "missing", hint, about=("start", "ready_by", "hours", "closed"))
    elif entry.stop is None:
        hint = 'a cron line, such as stop: "0 18 * * 1-5"; in its place until: idle, or until: done for a job'
        yield _at("stop", "missing", hint, about=("stop", "until"))


def _values(entry: Moments) -> Iterator[Complaint]:
    """Whether the values go together."""
    try:
        if entry.hours is not None and entry.date is None:
            parse_hours(entry.hours)
        elif entry.hours is not None:
            parse_times(entry.hours)
    except PydanticCustomError as error:
        yield ("hours",), error, entry.hours
        return
    both = sorted(set(entry.excepted) & set(entry.added))
    if both:
        yield _at("also", f"{both[0]} is excepted and added", "leave one of them out", other=("except",))
    if entry.begins is not None and entry.stop is not None and entry.begins.fields == entry.stop.fields:
        name = "ready_by" if entry.start is None else "stop"
        yield _at(name, "start and stop are the same", "a window ends later than it begins")
    if isinstance(entry.ready_by, int):
        yield from _ready_by(entry, entry.ready_by)


def _ready_by(entry: Moments, minute: int) -> Iterator[Complaint]:
    text = moment_text(minute)
    if minute >= _DAY:
        yield _at("ready_by", "ready_by is a time of the day", "from 00:00 to 23:59")
    elif entry.stop is not None:
        first = entry.stop.minutes[0]
        if first <= minute:
            line = on_days_of(entry.stop, minute).text
            hint = f'for a window past midnight write a cron line: ready_by: "{line}"'
            yield _at("ready_by", f"{text} is not before the stop at {time_text(first)}", hint)
    elif entry.hours is not None:
        spells = parse_hours(entry.hours)
        if len({day for spell in spells for day in spell.days}) < sum(len(spell.days) for spell in spells):
            hint = "write an entry for each window"
            yield _at("ready_by", "ready_by needs hours with one window a day", hint)
            return
        for spell in spells:
            if not spell.stop - _DAY <= minute < spell.stop:
                where = "not before" if minute >= spell.stop else "more than a day before"
                hint = f"it takes the place of the {time_text(spell.start)} in hours"
                yield _at("ready_by", f"{text} is {where} the end at {time_text(spell.stop)}", hint)
                return


def _never(entry: Moments) -> Iterator[Complaint]:
    if entry.date is not None or entry.added:
        return
    name = next(name for name in ("hours", "start", "ready_by") if name in _given(entry))
    if not _some_day(entry.rule):
        what = "never starts" if entry.until else "never opens"
        where = ", ".join(entry.holidays)
        hint = f"each of its days is a public holiday in {where}" if where else "check its days"
        yield _at(name, f"{entry.text} {what}", hint)


def _some_day(rule: Rule) -> bool:
    days = rule.pattern.period if not rule.holidays else _YEARS
    excepted = max(rule.excepted, default=_BEGINNING)
    return any(rule.on(max(_BEGINNING, excepted) + ahead * DAY) for ahead in range(1, days + 1))


def _at(
    name: str, message: str, hint: str, *, other: Loc | None = None, about: tuple[str, ...] = ()
) -> Complaint:
    return (name,), wrong(message, hint, other=other, about=[(key,) for key in about]), None
