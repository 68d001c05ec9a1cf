"""What a schedule will do in the next days, in words: for ``check`` and ``status``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]

_DAY = timedelta(days=1)
_MOST = 6
"""Times of one day that are named one by one."""


def week(agenda: Json) -> list[str]:
    """Lines about what ``core.agenda`` found; the same keys stand in a row of ``status --json``."""
    zone = ZoneInfo(agenda["timezone"])
    lines = []
    if agenda["week"]:
        lines.append(f"awake: {'; '.join(_openings(agenda['week'], zone))}")
    if agenda["runs"]:
        lines.append(f"runs: {'; '.join(_runs(agenda['runs'], zone))}")
    if later := agenda.get("later"):
        moment = _local(later, zone)
        lines.append(f"nothing in these days; next: {_day(moment.date())} {moment:%Y %H:%M}")
    elif not agenda["week"] and not agenda["runs"]:
        lines.append("nothing in these days, nor later")
    if agenda["closed"]:
        closed = (f"{_day(date.fromisoformat(one['day']))} ({one['why']})" for one in agenda["closed"])
        lines.append(f"closed: {'; '.join(closed)}")
    lines += [f"note: {_day(date.fromisoformat(note['day']))}: {note['text']}" for note in agenda["notes"]]
    return lines


def _openings(openings: list[Json], zone: ZoneInfo) -> Iterator[str]:
    days: dict[date, list[str]] = {}
    whole: list[tuple[date, str]] = []
    for one in openings:
        start = _local(one["start"], zone)
        led = "ready " if one["led"] else ""
        if one["stop"] is None:
            since = "" if start.year <= 1970 else f" from {_day(start.date())} {start:%H:%M} on"
            whole.append((start.date(), f"always{since}"))
            continue
        stop = _local(one["stop"], zone)
        if stop.replace(tzinfo=None) - start.replace(tzinfo=None) > _DAY:
            text = f"{led}{_day(start.date())} {start:%H:%M} to {_day(stop.date())} {stop:%H:%M}"
            whole.append((start.date(), text))
        else:
            end = "24:00" if stop.time() == datetime.min.time() else f"{stop:%H:%M}"
            days.setdefault(start.date(), []).append(f"{led}{start:%H:%M}-{end}")
    spoken = [*whole, *_grouped({day: ", ".join(times) for day, times in days.items()})]
    yield from (text for _, text in sorted(spoken))


def _runs(stamps: list[str], zone: ZoneInfo) -> Iterator[str]:
    days: dict[date, list[str]] = {}
    for stamp in stamps:
        moment = _local(stamp, zone)
        days.setdefault(moment.date(), []).append(f"{moment:%H:%M}")
    spoken = _grouped({day: _times(times) for day, times in days.items()})
    yield from (text for _, text in spoken)


def _times(times: list[str]) -> str:
    if len(times) <= _MOST:
        return ", ".join(times)
    return f"{', '.join(times[:_MOST])} and so on"


def _grouped(days: Mapping[date, str]) -> Iterator[tuple[date, str]]:
    """Days in a row with the same times as one: ``Mon 30 Nov - Wed 2 Dec 09:00-18:00``."""
    # The distance to the position in the list is the same for days in a row.
    ordered = sorted(days)
    numbered = enumerate(ordered)
    for (_, text), group in groupby(numbered, lambda one: (one[1] - one[0] * _DAY, days[one[1]])):
        found = [day for _, day in group]
        span = _day(found[0]) if len(found) == 1 else f"{_day(found[0])} - {_day(found[-1])}"
        yield found[0], f"{span} {text}"


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _local(stamp: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(stamp).astimezone(zone)
