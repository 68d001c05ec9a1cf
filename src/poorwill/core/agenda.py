"""What a schedule will do in the next days, as JSON that ``check`` and ``status`` put into words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from poorwill.core.holidays import published
from poorwill.core.localtime import at, change_between, day_of, local, start_of
from poorwill.core.pattern import DAY
from poorwill.core.rule import Rule
from poorwill.core.schedule import Timetable

Json = dict[str, Any]

MOST_RUNS = 100
"""A line for every minute has ten thousand runs a week; more than this is not for reading."""
_SOON = 60 * 86400.0


def agenda(timetable: Timetable, wall: float, days: int = 7) -> Json:
    """The coming ``days`` from this instant on.

    ``timezone``: whose days and hours these are. ``week``: {start, stop, why, led}; stop None: it never
    closes. ``runs``: stamps, at most MOST_RUNS of them. ``later``: when the first of all begins, if not
    in these days. ``closed``: {day, why} where something would have begun. ``notes``: {day, text} about
    changes of the clocks and days that stand for others.
    """
    end = wall + days * 86400
    first, last = day_of(wall, timetable.zone), day_of(end, timetable.zone)
    dates = [first + ahead * DAY for ahead in range((last - first).days + 1)]
    openings = timetable.openings(wall, days)
    runs = sorted({moment for run in timetable.runs for moment in run.due(wall, end)})
    return {
        "timezone": timetable.zone,
        "week": [
            {"start": _iso(one.start), "stop": _iso(one.stop), "why": one.text, "led": one.led}
            for one in openings
        ],
        "runs": [_iso(moment) for moment in runs[:MOST_RUNS]],
        "later": None if openings or runs else _iso(_first(timetable, wall)),
        "closed": list(_closed(timetable, dates)),
        "notes": [*_extras(timetable, dates), *_changes(timetable.zone, dates)],
    }


def unpublished(timetable: Timetable, wall: float) -> tuple[tuple[str, int], ...]:
    """Countries and years, now or within 60 days, whose make-up workdays are not known yet."""
    years = sorted({day_of(moment, timetable.zone).year for moment in (wall, wall + _SOON)})
    countries = sorted({country for rule in _rules(timetable) for country in rule.holidays})
    return tuple((country, year) for country in countries for year in years if not published(country, year))


def warnings(timetable: Timetable, wall: float) -> list[str]:
    """What somebody should know about a schedule that is fine as such."""
    said = [
        f"{country} has not published its make-up workdays of {year} yet, or this version does not know them:"
        " windows may be missing on them"
        for country, year in unpublished(timetable, wall)
    ]
    today = day_of(wall, timetable.zone)
    dates = {day for rule in timetable.dates for day in rule.added} | timetable.closed
    return said + [f"{day} is past: its entry can be removed" for day in sorted(dates) if day < today]


def _first(timetable: Timetable, wall: float) -> float | None:
    following = timetable.hours(wall).next
    moments = [run.next_due(wall) for run in timetable.runs] + [following.start if following else None]
    return min((moment for moment in moments if moment is not None), default=None)


def _rules(timetable: Timetable) -> list[Rule]:
    return [*timetable.rules, *(run.rule for run in timetable.runs)]


def _closed(timetable: Timetable, dates: list[date]) -> Iterator[Json]:
    for day in dates:
        usual = [rule for rule in _rules(timetable) if rule.pattern.on(day)]
        if not usual or any(rule.on(day) for rule in timetable.dates):
            continue
        whys = ["closed"] if day in timetable.closed else [rule.closed(day) for rule in usual]
        if all(whys):
            yield {"day": day.isoformat(), "why": whys[0]}


def _extras(timetable: Timetable, dates: list[date]) -> Iterator[Json]:
    for day in dates:
        why = next(filter(None, (rule.extra(day) for rule in _rules(timetable))), "")
        if why and day not in timetable.closed:
            yield {"day": day.isoformat(), "text": why}


def _changes(zone: str, dates: list[date]) -> Iterator[Json]:
    for day in dates:
        early, late = (int(start_of(at(one, 0), zone)) for one in (day, day + DAY))
        moved = (late - early) - 86400
        if moved == 0:
            continue
        minutes = abs(moved) // 60
        size = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
        before = local(change_between(early, late, zone) - 1, zone)
        clock = at(day, before.hour * 60 + before.minute + 1).strftime("%H:%M")
        way = "forward" if moved < 0 else "back"
        yield {"day": day.isoformat(), "text": f"the clocks go {way} by {size} at {clock}"}


def _iso(wall: float | None) -> str | None:
    return None if wall is None else datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
