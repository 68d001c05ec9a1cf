"""Budgets that do not fit what is used, and services that nobody used."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from poorwill.advisor.case import Case
from poorwill.advisor.suggestion import LEAST_DAYS, LEAST_HOURS, Suggestion, Sure, Value

ROOM = Decimal("1.15")
"""A budget that fits is so many times what is used."""
LARGE = Decimal("0.5")
"""What uses less than this part of its budget, two months in a row, has one that warns of nothing."""


def suggest_unused(case: Case) -> Suggestion | None:
    """It was there and nobody came. ``hours`` is all that it was there."""
    hours = case.hours_a_month
    if case.days < LEAST_DAYS or case.uses or hours < LEAST_HOURS:
        return None
    sure = Sure.HIGH if case.days >= 3 * LEAST_DAYS else Sure.MEDIUM
    return Suggestion(
        "unused", case.service.name, hours, case.rate.of(hours), case.rate.currency, sure, {"hours": hours}
    )


def suggest_budget(
    service: str, used: Decimal, limit: Decimal, currency: str, before: Decimal | None
) -> Suggestion | None:
    """For a month that is over. ``used``, ``limit`` and ``before`` (the month before, None where it is not
    known) are in ``currency``, or in hours where that is empty. It saves nothing by itself.
    """
    values: dict[str, Value] = {"used": used, "limit": limit, "unit": currency or "h"}
    most = used if before is None else max(used, before)
    fits = _round_up(most * ROOM)
    if used > limit:
        kind = "budget_small"
    elif before is not None and 0 < most < LARGE * limit and fits < limit:
        kind = "budget_large"
    else:
        return None
    return Suggestion(kind, service, 0.0, None, currency, Sure.MEDIUM, {**values, "fits": fits})


def _round_up(value: Decimal) -> Decimal:
    """To two digits that count: 105.8 becomes 110."""
    return value.quantize(Decimal(1).scaleb(max(value.adjusted() - 1, -2)), rounding=ROUND_CEILING) + 0
