"""The table that people keep by hand: item, used, budget, over?, advice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from poorwill.accounts.figures import Figures, sums
from poorwill.accounts.record import Limit, Record
from poorwill.core.bill import Line
from poorwill.core.budget import HOURS, Budget
from poorwill.core.period import Per
from poorwill.core.spending import used

CLOSE = Decimal("0.8")
"""From this part of a budget on it is nearly used up."""


class Advice(StrEnum):
    """What there is to say about a row."""

    WITHIN = "within"
    CLOSE = "close"
    OVER = "over"
    NONE = "none"
    """There is no budget."""


@dataclass(frozen=True, slots=True)
class Row:
    """``item`` is ``service`` (its name in ``name``), ``cost`` (a monthly item) or ``total``. ``unit`` is
    HOURS or a currency. ``rates`` is what one of another currency counts as in a budget.
    """

    item: str
    name: str
    unit: str
    used: Decimal
    budget: Decimal | None = None
    rates: tuple[tuple[str, Decimal], ...] = ()

    @property
    def over(self) -> bool:
        return self.budget is not None and self.used > self.budget

    @property
    def share(self) -> Decimal | None:
        """How much of the budget is used, 1 being all of it."""
        return self.used / self.budget if self.budget else None

    @property
    def advice(self) -> Advice:
        if self.budget is None:
            return Advice.NONE
        if self.over:
            return Advice.OVER
        return Advice.CLOSE if self.used >= CLOSE * self.budget else Advice.WITHIN


def rows(record: Record, services: Sequence[Figures]) -> tuple[Row, ...]:
    """Hours and money of each service, the monthly items, and everything together in each currency.

    Where there is a budget, ``used`` is what counts in it, by the rule that holds while it runs. In the hours
    of everything together what is on a machine does not count beside it, either.
    """
    limits = _tightest(record.limits)
    items = (Line("", "cost", 0.0, 0.0, one.amount, one.currency) for one in record.items)
    lines = (*record.lines, *items)
    found: list[Row] = []
    for one in services:
        found.append(_hours(one.name, "service", limits, lines))
        found += _money(one.name, "service", one.amounts, limits, lines)
    found += [Row("cost", one.name, one.currency, one.amount, one.budget) for one in record.items]
    if len(services) > 1 or ("", HOURS) in limits:
        found.append(_hours("", "total", limits, lines))
    return (*found, *_money("", "total", totals(record), limits, lines))


def totals(record: Record) -> dict[str, Decimal]:
    """What everything cost, by currency; nothing is converted."""
    found = sums(record.lines)
    for item in record.items:
        found[item.currency] = found.get(item.currency, Decimal(0)) + item.amount
    return dict(sorted(found.items()))


def counted(limit: Limit, lines: Iterable[Line]) -> Decimal:
    """What of these counts in the budget."""
    unit = limit.currency or HOURS
    return used(Budget(limit.service, Per.MONTH, "", limit.limit, unit, rates=limit.rates), lines)


_Limits = Mapping[tuple[str, str], Limit]


def _hours(name: str, item: str, limits: _Limits, lines: Sequence[Line]) -> Row:
    limit = limits.get((name, HOURS))
    there = counted(limit or Limit(name, Decimal(0)), lines)
    return Row(item, name, HOURS, there, limit.limit if limit else None)


def _money(
    name: str, item: str, amounts: Mapping[str, Decimal], limits: _Limits, lines: Sequence[Line]
) -> Iterator[Row]:
    """For each currency, and for each budget in which those of others count."""
    for currency, amount in sorted(amounts.items()):
        if (name, currency) not in limits:
            yield Row(item, name, currency, amount)
    for (payer, unit), limit in sorted(limits.items()):
        if payer == name and unit != HOURS:
            there = counted(limit, lines)
            if there or unit in amounts:
                yield Row(item, name, unit, there, limit.limit, limit.rates)


def _tightest(limits: Iterable[Limit]) -> dict[tuple[str, str], Limit]:
    """The smallest budget of a service in a unit."""
    found: dict[tuple[str, str], Limit] = {}
    for one in limits:
        key = (one.service, one.currency or HOURS)
        found[key] = min(one, found.get(key, one), key=lambda each: each.limit)
    return found
