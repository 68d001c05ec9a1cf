"""What of each budget was used in a month, counted as where budgets bind: by ``core.spending``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from poorwill.accounts.record import Record
from poorwill.core.bill import Line
from poorwill.core.budget import HOURS, Budget
from poorwill.core.period import Per
from poorwill.core.spending import uncounted, used


@dataclass(frozen=True, slots=True)
class Judged:
    """``used`` is that of the month; for a budget of a day or a week the most in one of the ``times`` that
    the month has of these. It was used up in ``over`` of them. ``uncounted`` are currencies that are missing
    in it, since nobody said what they are worth.
    """

    budget: Budget
    used: Decimal
    times: int
    over: int
    uncounted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Converted:
    """At which rate a currency counted in budgets of another, and of when that is."""

    currency: str
    unit: str
    rate: Decimal
    date: str


def judged(record: Record) -> tuple[Judged, ...]:
    """The smallest budget of each payer for each unit and length."""
    found = (_judged(record, one) for one in _tightest(record.budgets))
    return tuple(one for one in found if one is not None)


def _judged(record: Record, budget: Budget) -> Judged | None:
    bills = list(_bills(record, budget))
    if not bills:
        return None
    amounts = [used(budget, lines) for lines in bills]
    missing = {currency for lines in bills for currency in uncounted(budget, lines) if currency}
    over = sum(amount > budget.limit for amount in amounts)
    return Judged(budget, max(amounts), len(amounts), over, tuple(sorted(missing)))


def _bills(record: Record, budget: Budget) -> Iterator[Iterable[Line]]:
    for period, lines in record.spent.items():
        if (period.per, period.zone) == (budget.per, budget.zone):
            yield lines


def _tightest(budgets: Iterable[Budget]) -> Iterable[Budget]:
    found: dict[tuple[str, str, Per], Budget] = {}
    for one in budgets:
        key = (one.payer, one.unit, one.per)
        found[key] = min(one, found.get(key, one), key=lambda budget: budget.limit)
    return found.values()


def converted(record: Record) -> tuple[Converted, ...]:
    """The rates by which anything was counted."""
    pairs = {
        (line.currency, budget.unit)
        for budget in record.budgets
        if budget.unit != HOURS
        for lines in _bills(record, budget)
        for line in lines
        if line.amount and budget.payer in ("", line.name, line.machine) and line.currency != budget.unit
    }
    return tuple(
        Converted(currency, unit, record.rates[currency].rate, record.rates[currency].date)
        for currency, unit in sorted(pairs)
        if currency in record.rates
    )
