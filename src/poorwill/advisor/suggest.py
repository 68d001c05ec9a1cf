"""All suggestions about one service, computed from what was recorded.

Each is computed alone: what two of them save is less than their sum where both save the same hours.
"""

from __future__ import annotations

from collections.abc import Sequence

from poorwill.advisor.case import Case
from poorwill.advisor.suggest_gpu import Card, suggest_gpu
from poorwill.advisor.suggest_hours import suggest_hours
from poorwill.advisor.suggest_idle import suggest_idle
from poorwill.advisor.suggest_rest import suggest_unused
from poorwill.advisor.suggest_window import suggest_trims
from poorwill.advisor.suggestion import Suggestion


def suggestions(case: Case, cards: Sequence[Card] = ()) -> tuple[Suggestion, ...]:
    """The one that saves most comes first."""
    if unused := suggest_unused(case):
        return (unused,)
    single = (suggest_idle(case), suggest_hours(case), suggest_gpu(case, cards))
    found = [one for one in (*single, *suggest_trims(case)) if one is not None]
    return tuple(sorted(found, key=lambda one: (-(one.amount or 0), -one.hours)))
