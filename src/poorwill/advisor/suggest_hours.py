"""Hours without a window in which somebody always comes and waits: a window would have it awake by then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from poorwill.advisor.case import Case
from poorwill.advisor.openings import past, with_openings
from poorwill.advisor.suggest_idle import LEAST_USES, SPARED
from poorwill.advisor.suggest_window import play_hours
from poorwill.advisor.suggestion import LEAST_DAYS, WAIT_WORTH, Suggestion, Sure
from poorwill.core.clockhours import ClockHour, clock_hours
from poorwill.core.localtime import day_of
from poorwill.core.model import OnRequest
from poorwill.core.schedule import Opening

MOSTLY = 0.8
"""On so many of the days somebody must have come in each hour of a new window."""
LEAST_SEEN = 6
"""So many days of the kind must be recorded."""

DAYS = {"workdays": range(5), "weekends": range(5, 7), "every_day": range(7)}


def suggest_hours(case: Case) -> Suggestion | None:
    """The window that spares most, if it is worth what it costs; see WAIT_WORTH."""
    if case.days < LEAST_DAYS or len(case.uses) < LEAST_USES or not case.wakes or not case.lone:
        return None
    if case.service.on_request is OnRequest.CLOSED:
        return None
    known = past(case.service.timetable, case.zone, case.since, case.until)
    now, best, least = play_hours(case, known), None, 0.0
    hours = list(clock_hours(case.since, case.until, case.zone))
    for days, weekdays in DAYS.items():
        for first, last, seen in _runs(case, [one for one in hours if one.weekday in weekdays]):
            window = [one for one in hours if one.weekday in weekdays and first <= one.hour <= last]
            opened = [Opening(one.start, one.stop, "new") for one in window]
            then = play_hours(case, with_openings(known, [*known.known, *opened]))
            spared = len(now.waits) - len(then.waits)
            cost = (then.seconds - now.seconds) - WAIT_WORTH * case.wake * spared
            if spared < SPARED or cost >= least:
                continue
            least, gain = cost, (now.seconds - then.seconds) / 3600 * case.scale
            best = Suggestion(
                "window_new",
                case.service.name,
                gain,
                case.rate.of(gain),
                case.rate.currency,
                Sure.HIGH if seen >= 3 * LEAST_SEEN else Sure.MEDIUM,
                {
                    "days": days,
                    "from_clock": f"{first:02}:00",
                    "to_clock": f"{last + 1:02}:00",
                    "spared": spared * case.scale,
                    "wake": case.wake,
                },
            )
    return best


def _runs(case: Case, hours: Sequence[ClockHour]) -> Iterator[tuple[int, int, int]]:
    """(first hour, last hour, days seen) of the hours in a row in which it is used on most of these days."""
    seen: dict[int, set[date]] = {}
    came: dict[int, set[date]] = {}
    uses = iter(case.uses)
    use = next(uses, None)
    for one in hours:
        day = day_of(one.start, case.zone)
        seen.setdefault(one.hour, set()).add(day)
        while use is not None and use.end <= one.start:
            use = next(uses, None)
        if use is not None and use.start < one.stop:
            came.setdefault(one.hour, set()).add(day)
    full = [
        len(seen.get(hour, ())) >= LEAST_SEEN and len(came.get(hour, ())) >= MOSTLY * len(seen[hour])
        for hour in range(24)
    ]
    hour = 0
    while hour < 24:
        last = hour
        while last < 24 and full[last]:
            last += 1
        if last > hour:
            yield hour, last - 1, min(len(seen[one]) for one in range(hour, last))
        hour = last + 1
