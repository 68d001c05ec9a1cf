"""Which time is asked about: a day, a week or a month by the calendar, or from one moment to another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from poorwill.core.localtime import start_of
from poorwill.core.period import Per, Period, period_from, period_of
from poorwill.errors import BadInput

YEARS = range(1971, 9000)
"""Those that can be asked about: at the ends of the calendar nothing can be reckoned."""
_YEARS = f"the years are {YEARS[0]} to {YEARS[-1]}"


@dataclass(frozen=True, slots=True)
class Asked:
    """``start`` is in it and ``stop`` is not, in seconds since the epoch. A free time has no ``per``."""

    name: str
    start: float
    stop: float
    per: str = ""


def current(per: Per, now: float, zone: str) -> Asked:
    """The one that goes on now."""
    return _asked(period_of(per, now, zone))


def asked(
    now: float, zone: str, *, day: str = "", week: str = "", month: str = "", since: str = "", until: str = ""
) -> Asked | None:
    """What these say; None when they say nothing. ``this`` is the current one, of day, week and month.

    Raises BadInput when they cannot be understood or contradict each other.
    """
    named = {"day": day, "week": week, "month": month}
    given = {per: text for per, text in named.items() if text}
    if len(given) + bool(since or until) > 1:
        raise BadInput("only one time can be asked about", hint="a day, a week, a month, or since and until")
    for per, text in given.items():
        if text == "this":
            return current(Per(per), now, zone)
        return _asked(period_from(Per(per), _date(text, Per(per)), zone))
    if not since and not until:
        return None
    start = moment(since, zone) if since else 0.0
    stop = moment(until, zone) if until else now
    if start >= stop:
        what = f"{until or 'now'} is not after {since}" if since else f"{until} is before everything"
        raise BadInput(what, hint="--since is the beginning, --until the end, which is not counted")
    return Asked(f"{since or 'the beginning'} to {until or 'now'}", start, stop)


def moment(text: str, zone: str) -> float:
    """``2026-11-03`` or ``2026-11-03 14:00`` in this zone, or a moment with a zone of its own."""
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput(f"{text} is no date", hint="write 2026-11-03, or '2026-11-03 14:00'") from error
    if parsed.year not in YEARS:
        raise BadInput(f"{text} is too far away", hint=_YEARS)
    return parsed.timestamp() if parsed.tzinfo else start_of(parsed, zone)


def _date(text: str, per: Per) -> date:
    month = re.fullmatch(r"(\d{4})-(\d\d?)(?:-(\d\d?))?", text.strip())
    if month and (month[3] or per is Per.MONTH):
        if int(month[1]) not in YEARS:
            raise BadInput(f"{text} is too far away", hint=_YEARS)
        try:
            return date(int(month[1]), int(month[2]), int(month[3] or 1))
        except ValueError:
            pass  # said below
    example = "2026-11" if per is Per.MONTH else "2026-11-03"
    raise BadInput(f"{text} is no {per}", hint=f"write {example}")


def _asked(period: Period) -> Asked:
    return Asked(str(period), period.start, period.stop, str(period.per))
