"""Opening hours in words: per day, in the service's own time zone and the visitor's language.

``templates/hours.js`` says the same in the visitor's own time zone; a browser test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from poorwill.core.hours import OpeningHours
from poorwill.gateway.words import Words

DAYS = 7
_DAY = 86_400.0
_UNDER_WAY = 10
_UNKNOWN = 86_400


@dataclass(frozen=True, slots=True)
class Row:
    """One day; no ``spans``: closed."""

    label: str
    spans: tuple[Markup, ...]


def rows(say: Words, hours: OpeningHours, wall: float) -> list[Row]:
    """Today and the six days after it. What goes on past midnight stands with the day on which it begins."""
    zone = ZoneInfo(hours.zone)
    today = datetime.fromtimestamp(wall, zone).date()
    midnights = [
        datetime.combine(today + timedelta(days=ahead), datetime.min.time(), zone).timestamp()
        for ahead in range(DAYS + 1)
    ]
    return [
        Row(
            _label(say, datetime.fromtimestamp(midnights[ahead] + _DAY / 2, zone), ahead),
            tuple(
                span
                for start, stop in hours.ahead(wall)
                if (span := _span(say, zone, (start, stop), midnights, ahead)) is not None
            ),
        )
        for ahead in range(DAYS)
    ]


def _span(
    say: Words, zone: ZoneInfo, opening: tuple[float, float | None], midnights: list[float], ahead: int
) -> Markup | None:
    """The part of an opening that is told on this day; None when there is none."""
    (start, stop), begin, end = opening, midnights[ahead], midnights[ahead + 1]
    begins_here = begin <= start < end
    if stop is None:
        if begins_here:
            return _fill(say["hours.from"], start=_time(start, zone))
        return escape(say["hours.open"]) if ahead == 0 and start < begin else None
    if stop - start < _DAY:
        if begins_here:
            return _range(say, zone, start, stop, end)
        if ahead > 0:
            return None
    first, last = max(start, begin), min(stop, end)
    return _range(say, zone, first, last, end) if first < last else None


def _range(say: Words, zone: ZoneInfo, start: float, stop: float, midnight: float) -> Markup:
    ending = _time(stop, zone, "24:00" if stop == midnight else "")
    return _fill(say["hours.range"], start=_time(start, zone), stop=ending)


def opening(say: Words, hours: OpeningHours, wall: float) -> Markup:
    """When it opens next, as a sentence."""
    at = hours.next_opening(wall)
    if at is None:
        return escape(say["hours.unknown"])
    zone = ZoneInfo(hours.zone)
    then, now = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(wall, zone)
    ahead = (then.date() - now.date()).days
    key = {0: "today", 1: "tomorrow"}.get(ahead, "later")
    return _fill(say[f"hours.opens_{key}"], time=_time(at, zone), day=_day(say, then))


def wait(hours: OpeningHours | None, wall: float) -> int:
    """Seconds until the next opening, for ``Retry-After``; a day when none is known."""
    if hours is None:
        return _UNKNOWN
    if any(start <= wall for start, _ in hours.ahead(wall)):
        return _UNDER_WAY  # it should be open: whoever opens it is about to
    at = hours.next_opening(wall)
    return _UNKNOWN if at is None else max(1, ceil(at - wall))


def zone_name(hours: OpeningHours) -> str:
    return hours.zone.replace("_", " ")


def spoken(say: Words) -> dict[str, Any]:
    """What the page's script needs to say the same in another time zone."""
    keys = ("today", "tomorrow", "day", "range", "from", "open", "closed", "both", "zones")
    opens = ("opens_today", "opens_tomorrow", "opens_later")
    return {
        **{key: say[f"hours.{key}"] for key in (*keys, *opens)},
        "weekdays": [say[f"hours.weekday.{number}"] for number in range(1, 8)],
        "months": [say[f"hours.month.{number}"] for number in range(1, 13)],
    }


def as_json(hours: OpeningHours | None, wall: float) -> dict[str, Any]:
    """For programs: ISO 8601 with the service's own offset."""
    if hours is None:
        return {"next_opening": None, "opening_hours": [], "time_zone": None}
    zone, at = ZoneInfo(hours.zone), hours.next_opening(wall)
    return {
        "next_opening": None if at is None else _iso(at, zone),
        "opening_hours": [
            {"opens": _iso(start, zone), "closes": None if stop is None else _iso(stop, zone)}
            for start, stop in (() if hours.spent else hours.ahead(wall))
        ],
        "time_zone": hours.zone,
    }


def _label(say: Words, noon: datetime, ahead: int) -> str:
    return say["hours.today"] if ahead == 0 else say["hours.tomorrow"] if ahead == 1 else _day(say, noon)


def _day(say: Words, day: datetime) -> str:
    return say["hours.day"].format(
        weekday=say[f"hours.weekday.{day.isoweekday()}"], day=day.day, month=say[f"hours.month.{day.month}"]
    )


def _time(at: float, zone: ZoneInfo, text: str = "") -> Markup:
    moment = datetime.fromtimestamp(at, zone)
    return Markup('<time datetime="{}">{}</time>').format(
        moment.isoformat(timespec="minutes"), text or f"{moment:%H:%M}"
    )


def _iso(at: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")


def _fill(text: str, **values: Markup | str) -> Markup:
    return escape(text).format(**values)
