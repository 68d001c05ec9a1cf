"""All suggestions about one service, computed from what was recorded.

Each is computed alone: what two of them save is less than their sum where both save the same hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from poorwill.advisor.case import Case
from poorwill.advisor.openings import past
from poorwill.advisor.suggest_gpu import Card, suggest_gpu
from poorwill.advisor.suggest_hours import suggest_hours
from poorwill.advisor.suggest_idle import missed_by, suggest_idle
from poorwill.advisor.suggest_no_window import suggest_no_window
from poorwill.advisor.suggest_rest import suggest_unused
from poorwill.advisor.suggest_window import play_hours, suggest_trims
from poorwill.advisor.suggestion import LEAST_DAYS, Suggestion

TOO_FAR = 0.5
"""A replay of the rules in force that is further off from what was says nothing about other rules."""


def suggestions(case: Case, cards: Sequence[Card] = ()) -> tuple[Suggestion, ...]:
    """The one that saves most comes first."""
    if unused := suggest_unused(case):
        return (unused,)
    found = [one for one in (*_by_replay(case), suggest_gpu(case, cards)) if one is not None]
    return tuple(sorted(found, key=lambda one: (-(one.amount or 0), -one.hours)))


def _by_replay(case: Case) -> Iterator[Suggestion | None]:
    if case.days < LEAST_DAYS or not case.lone:
        return
    now = play_hours(case, past(case.service.timetable, case.zone, case.since, case.until))
    if missed_by(case, now) <= TOO_FAR:
        yield from (suggest_idle(case), suggest_hours(case), suggest_no_window(case))
        yield from suggest_trims(case)
