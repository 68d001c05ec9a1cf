"""What is told about the budgets that bind a service."""

from __future__ import annotations

from typing import Any

from poorwill.control.facts import Facts
from poorwill.control.stamp import iso, stamp
from poorwill.core.budget import Budget, Standing, rounded
from poorwill.core.model import Now

Json = dict[str, Any]


def budgets_json(facts: Facts, now: Now) -> list[Json]:
    """Amounts are text, so that no program makes them less exact. What is not known yet is None."""
    return [_budget(one, facts.standings.get(one), now) for one in facts.rules.budgets]


def _budget(budget: Budget, standing: Standing | None, now: Now) -> Json:
    return {
        "of": budget.payer or None,
        "per": str(budget.per),
        "unit": budget.unit,
        "limit": str(budget.limit),
        "at_limit": str(budget.at_limit),
        **_standing(standing if standing and standing.is_of(now.wall) else None, now),
    }


def _standing(standing: Standing | None, now: Now) -> Json:
    """``spent_at`` is when it is used up if all goes on as it is; ``ends`` when a new period begins."""
    if standing is None:
        unknown = ("period", "used", "percent", "forecast", "forecast_by", "spent_at", "ends")
        return {**dict.fromkeys(unknown), "in_force": False, "uncounted": []}
    ahead = standing.forecast_at(now.wall, now.mono)
    spent, is_spent = standing.spent_at(), standing.is_spent(now.wall, now.mono)
    in_time = spent is not None and now.wall + (spent - now.mono) < standing.period.stop
    return {
        "period": str(standing.period),
        "used": str(rounded(standing.used_at(now.mono), standing.budget.unit)),
        "percent": round(standing.percent(now.mono), 1),
        "forecast": None if ahead is None else str(rounded(ahead.amount, standing.budget.unit)),
        "forecast_by": None if ahead is None else str(ahead.method),
        "spent_at": stamp(spent, now) if in_time and not is_spent else None,
        "ends": iso(standing.period.stop),
        "in_force": is_spent and standing.budget.binds,
        "uncounted": list(standing.uncounted),
    }
