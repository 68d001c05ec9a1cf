"""Budgets and how they stand, said in few words."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from poorwill.core.budget import AtLimit, Budget, Standing
from poorwill.core.growth import Growth
from poorwill.core.model import Now
from poorwill.core.period import Per, period_of
from poorwill.core.tariff import HOUR


def a_budget(limit: str = "100", at_limit: AtLimit = AtLimit.WARN, **said: Any) -> Budget:
    given = {"payer": "notes", "per": Per.MONTH, "zone": "UTC", **said}
    return Budget(limit=Decimal(limit), at_limit=at_limit, **given)


def standing(budget: Budget, now: Now, used: str = "0", pace: str = "0") -> Standing:
    period = period_of(budget.per, now.wall, budget.zone)
    return Standing(budget, period, Decimal(used), now.mono, going_on(pace))


def going_on(pace: str | Decimal) -> tuple[Growth, ...]:
    """So much an hour, every moment of it."""
    return (Growth(Fraction(pace) / HOUR),)


def spent(at_limit: AtLimit, now: Now, **said: Any) -> Standing:
    return standing(a_budget(at_limit=at_limit, **said), now, used="100")
