"""Other hours: edges of a window in which nobody comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from poorwill.advisor.case import Case
from poorwill.advisor.openings import Past, past, with_openings
from poorwill.advisor.play import Played, play
from poorwill.advisor.suggestion import LEAST_DAYS, WAIT_WORTH, Suggestion, Sure, noise
from poorwill.core.clockhours import HOUR
from poorwill.core.localtime import local
from poorwill.core.schedule import Opening

LEAST_OPENINGS = 8
"""So often must a window have been open in what is recorded."""
RARELY = 0.1
"""On so many of the days at most may somebody have come in the hours that are to go."""

Group = Sequence[Opening]


def suggest_trims(case: Case) -> Iterator[Suggestion]:
    """For each window of the schedule at most one later start and one earlier end."""
    if case.days < LEAST_DAYS or not case.lone:
        return
    known = past(case.service.timetable, case.zone, case.since, case.until)
    now = play_hours(case, known)
    for group in _groups(known):
        for edge in ("start", "stop"):
            if found := _trim(case, known, now, group, edge):
                yield found


def play_hours(case: Case, known: Past) -> Played:
    rules = replace(case.service, timetable=known)
    return play(rules, case.uses, case.since, case.until, case.wake, case.ending)


def _groups(known: Past) -> Iterator[Group]:
    """Openings with the same hours on the wall."""
    groups: dict[tuple[str, str], list[Opening]] = {}
    for one in known.known:
        if one.stop is not None:
            key = (_clock(one.start, known.zone), _clock(one.stop, known.zone))
            groups.setdefault(key, []).append(one)
    yield from (group for group in groups.values() if len(group) >= LEAST_OPENINGS)


def _trim(case: Case, known: Past, now: Played, group: Group, edge: str) -> Suggestion | None:
    shortest = min((one.stop or 0.0) - one.start for one in group)
    hours, came = 0, 0
    while (hours + 1) * HOUR < shortest:
        found = sum(_came(case, one, edge, hours + 1) for one in group)
        if found > RARELY * len(group):
            break
        hours, came = hours + 1, found
    if not hours:
        return None
    cut = {id(one): _without(one, edge, hours * HOUR) for one in group}
    then = play_hours(case, with_openings(known, (cut.get(id(one), one) for one in known.known)))
    gain = (now.seconds - then.seconds) / 3600 * case.scale
    spared = (now.seconds - then.seconds) - WAIT_WORTH * case.wake * (len(then.waits) - len(now.waits))
    if spared <= 0 or then.turned_away > now.turned_away or gain < 0 or noise(gain, case.hours_a_month):
        return None
    example = group[0]
    was = example.start if edge == "start" else example.stop or 0.0
    return Suggestion(
        "window_later" if edge == "start" else "window_shorter",
        case.service.name,
        gain,
        case.rate.of(gain),
        case.rate.currency,
        Sure.HIGH if came == 0 and len(group) >= 2 * LEAST_OPENINGS else Sure.MEDIUM,
        {
            "window": example.text,
            "was_clock": _clock(was, known.zone),
            "to_clock": _clock(was + hours * HOUR * (1 if edge == "start" else -1), known.zone),
            "days_count": len(group),
            "came_count": came,
            "waits": max(0, len(then.waits) - len(now.waits)) * case.scale,
        },
    )


def _came(case: Case, opening: Opening, edge: str, hours: int) -> bool:
    """Whether anybody used it in the first or the last hours of an opening."""
    stop = opening.stop or 0.0
    start, end = (opening.start, opening.start + hours * HOUR)
    if edge == "stop":
        start, end = stop - hours * HOUR, stop
    return any(use.start < end and use.end > start for use in case.uses)


def _without(opening: Opening, edge: str, seconds: float) -> Opening:
    if edge == "start":
        return replace(opening, start=opening.start + seconds)
    return replace(opening, stop=(opening.stop or 0.0) - seconds)


def _clock(wall: float, zone: str) -> str:
    return f"{local(wall, zone):%H:%M}"
