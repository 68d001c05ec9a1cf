"""Another ``idle_after``: the month played again with each candidate."""

from __future__ import annotations

from dataclasses import replace

from poorwill.advisor.case import Case
from poorwill.advisor.play import Played, play
from poorwill.advisor.suggestion import LEAST_DAYS, WAIT_WORTH, Suggestion, Sure, noise

MINUTES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60)
LEAST_USES = 20
"""Times of use; fewer say too little about how people come."""
SPARED = 5
"""A longer time must spare at least so many waits in what is recorded."""
MORE = 0.25
"""A shorter time may make people wait by so much more often, and not more."""
HONEST = 0.10
"""So much may the replay of what is in force differ from what really was, for the figure to be sure."""


def suggest_idle(case: Case) -> Suggestion | None:
    """The candidate with the least cost, where a second that somebody waits counts as WAIT_WORTH seconds of
    an instance; of those that do not break MORE. None when that is the one in force, or not worth a word.
    """
    if case.days < LEAST_DAYS or len(case.uses) < LEAST_USES or not case.wakes or not case.lone:
        return None
    now = _played(case, case.service.idle_after)
    tried = {60.0 * minutes: _played(case, 60.0 * minutes) for minutes in MINUTES}
    bearable = {idle: one for idle, one in tried.items() if _bearable(case, now, one)}
    if not bearable:
        return None
    best = min(bearable, key=lambda idle: (_cost(case, tried[idle]), abs(idle - case.service.idle_after)))
    then = tried[best]
    hours = (now.seconds - then.seconds) / 3600 * case.scale
    spared = len(now.waits) - len(then.waits)
    if best == case.service.idle_after or _cost(case, then) >= _cost(case, now):
        return None
    if spared < SPARED if hours < 0 else noise(hours, case.hours_a_month):
        return None
    return Suggestion(
        "idle_shorter" if best < case.service.idle_after else "idle_longer",
        case.service.name,
        hours,
        case.rate.of(hours),
        case.rate.currency,
        replayed_well(case, now),
        {
            "idle": best,
            "was": case.service.idle_after,
            "waits": len(then.waits) * case.scale,
            "waits_was": len(now.waits) * case.scale,
            "wake": case.wake,
        },
    )


def _played(case: Case, idle: float) -> Played:
    rules = replace(case.service, idle_after=idle)
    return play(rules, case.uses, case.since, case.until, case.wake, case.ending)


def _bearable(case: Case, now: Played, then: Played) -> bool:
    """Once a week more is borne where hardly anybody waits now."""
    return len(then.waits) <= max((1 + MORE) * len(now.waits), len(now.waits) + case.days / 7)


def _cost(case: Case, played: Played) -> float:
    return played.seconds + WAIT_WORTH * case.wake * len(played.waits)


def replayed_well(case: Case, now: Played) -> Sure:
    """By how well the replay of the rules in force hits what really was."""
    off = missed_by(case, now)
    if off > 2 * HONEST:
        return Sure.LOW
    return Sure.HIGH if off <= HONEST and case.days >= 3 * LEAST_DAYS else Sure.MEDIUM


def missed_by(case: Case, now: Played) -> float:
    """How far the replay of the rules in force is off from what really was, as a part of that."""
    return abs(now.seconds - case.there) / case.there if case.there else 1.0
