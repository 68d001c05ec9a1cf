"""The table that people keep by hand: item, used, budget, over?, advice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from poorwill.accounts.figures import Figures
from poorwill.accounts.judged import Judged, judged
from poorwill.accounts.record import Item, Record
from poorwill.core.budget import HOURS, Budget
from poorwill.core.money import by_currency
from poorwill.core.period import Per
from poorwill.core.spending import used

CLOSE = Decimal("0.8")
"""From this part of a budget on it is nearly used up."""
SAME = Decimal("0.000001")
"""What is no further apart was rounded in two ways."""


class Advice(StrEnum):
    """What there is to say about a row."""

    WITHIN = "within"
    CLOSE = "close"
    OVER = "over"
    NONE = "none"
    """There is no budget."""
    ELSEWHERE = "elsewhere"
    """The budget has a row of its own."""


@dataclass(frozen=True, slots=True)
class Row:
    """``item`` is ``service`` or ``machine`` (its name in ``name``), ``cost`` (a monthly item) or ``total``.

    A row about a budget of a day or a week has the most that was used in one of these ``times`` as ``used``,
    and in how many it was ``exceeded``. ``whole`` is of an item what it costs for a whole ``per``, where that
    is compared. ``as_budget`` says that it is counted as the budget does, which the row before it is not.
    """

    item: str
    name: str
    unit: str
    used: Decimal
    budget: Decimal | None = None
    per: str = "month"
    times: int = 0
    exceeded: int = 0
    whole: Decimal | None = None
    as_budget: bool = False
    elsewhere: bool = False

    @property
    def compared(self) -> Decimal:
        """What the budget is for."""
        return self.used if self.whole is None else self.whole

    @property
    def over(self) -> bool:
        return self.budget is not None and self.compared > self.budget

    @property
    def share(self) -> Decimal | None:
        """How much of the budget is used, 1 being all of it."""
        return self.compared / self.budget if self.budget else None

    @property
    def advice(self) -> Advice:
        if self.budget is None:
            return Advice.ELSEWHERE if self.elsewhere else Advice.NONE
        if self.over:
            return Advice.OVER
        return Advice.CLOSE if self.compared >= CLOSE * self.budget else Advice.WITHIN


def rows(record: Record, services: Sequence[Figures]) -> tuple[Row, ...]:
    """Hours and money of each service, the monthly items, and everything together in each currency."""
    known = judged(record)
    found: list[Row] = []
    for one in services:
        item = "machine" if one.kind == "machine" else "service"
        money = _with_guests(record, one.name) if item == "machine" else one.amounts
        found += _rows(item, one.name, {HOURS: _hours(one), **dict(sorted(money.items()))}, known)
    found += [_item(one) for one in record.items]
    whole = totals(record)
    if len(services) > 1 or any((one.budget.payer, one.budget.unit) == ("", HOURS) for one in known):
        hours = sum((_hours(one) for one in services if one.kind != "machine"), Decimal(0))
        whole = {HOURS: hours, **whole}
    return (*found, *_rows("total", "", whole, known))


def totals(record: Record) -> dict[str, Decimal]:
    """What everything cost, by currency; nothing is converted."""
    lines = ((one.currency, one.amount) for one in record.lines)
    items = ((one.currency, one.amount) for one in record.items)
    return dict(sorted(by_currency([*lines, *items]).items()))


def _with_guests(record: Record, machine: str) -> Mapping[str, Decimal]:
    """What a machine cost with all that is on it, by currency: what a budget of it would count."""
    own = (line.currency for line in record.lines if machine in (line.name, line.machine))
    currencies = sorted(filter(None, {*own}))
    each = (Budget(machine, Per.MONTH, record.period.zone, Decimal(1), unit) for unit in currencies)
    return {one.unit: used(one, record.lines) for one in each}


def _rows(item: str, name: str, amounts: Mapping[str, Decimal], known: Sequence[Judged]) -> Iterator[Row]:
    """Each amount (by unit) beside its budget of a month; then what else the budgets count."""
    own = [one for one in known if one.budget.payer == name]
    beside = {one.budget.unit: one for one in own if _is_beside(one, amounts)}
    others = [one for one in own if one not in beside.values()]
    for unit, amount in amounts.items():
        budget = beside[unit].budget.limit if unit in beside else None
        elsewhere = any((one.budget.unit == HOURS) == (unit == HOURS) for one in others)
        yield Row(item, name, unit, amount, budget, elsewhere=elsewhere)
    for one in others:
        budget, per = one.budget.limit, str(one.budget.per)
        if one.budget.per is Per.MONTH:
            yield Row(item, name, one.budget.unit, one.used, budget, as_budget=True)
        else:
            yield Row(item, name, one.budget.unit, one.used, budget, per, one.times, one.over)


def _is_beside(one: Judged, amounts: Mapping[str, Decimal]) -> bool:
    """Whether a budget of the month counts the very amount that the table shows."""
    amount = amounts.get(one.budget.unit)
    return one.budget.per is Per.MONTH and amount is not None and abs(amount - one.used) < SAME


def _item(one: Item) -> Row:
    return Row("cost", one.name, one.currency, one.amount, one.budget, one.per, whole=one.whole)


def _hours(one: Figures) -> Decimal:
    return Decimal(repr(one.there)) / 3600
