"""The table that people keep by hand: item, used, budget, over?, advice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from poorwill.accounts.figures import Figures, sums
from poorwill.accounts.record import Limit, Record

HOURS = "h"
"""The unit of what is counted in hours; that of money is its currency."""
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
    """``item`` is ``service`` (its name in ``name``), ``cost`` (a monthly item) or ``total``."""

    item: str
    name: str
    unit: str
    used: Decimal
    budget: Decimal | None = None

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
    """Hours and money of each service, the monthly items, and everything together in each currency."""
    limits = _tightest(record.limits)
    found = [row for one in services for row in _of(one, limits)]
    found += [Row("cost", one.name, one.currency, one.amount, one.budget) for one in record.items]
    hours = sum((_hours(one) for one in services if one.kind != "machine"), Decimal(0))
    if len(services) > 1 or ("", HOURS) in limits:
        found.append(Row("total", "", HOURS, hours, limits.get(("", HOURS))))
    for currency, amount in totals(record).items():
        found.append(Row("total", "", currency, amount, limits.get(("", currency))))
    return tuple(found)


def totals(record: Record) -> dict[str, Decimal]:
    """What everything cost, by currency; nothing is converted."""
    found = sums(record.lines)
    for item in record.items:
        found[item.currency] = found.get(item.currency, Decimal(0)) + item.amount
    return dict(sorted(found.items()))


def _of(one: Figures, limits: Mapping[tuple[str, str], Decimal]) -> Iterator[Row]:
    yield Row("service", one.name, HOURS, _hours(one), limits.get((one.name, HOURS)))
    for currency, amount in sorted(one.amounts.items()):
        yield Row("service", one.name, currency, amount, limits.get((one.name, currency)))


def _hours(one: Figures) -> Decimal:
    return Decimal(repr(one.there)) / 3600


def _tightest(limits: Iterable[Limit]) -> dict[tuple[str, str], Decimal]:
    """The smallest budget of a service in a unit."""
    found: dict[tuple[str, str], Decimal] = {}
    for one in limits:
        key = (one.service, one.currency or HOURS)
        found[key] = min(one.limit, found.get(key, one.limit))
    return found
