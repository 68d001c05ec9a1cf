"""What sleeping saved: one instance all the time, at the price in force, without what it really cost.

All the time is the time in which it was configured and a Poorwill ran: nothing else was saved by Poorwill.
While an instance was there without that, it counts on both sides, so that it changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from poorwill.core.bill import Line
from poorwill.core.life import Life
from poorwill.core.money import decimal
from poorwill.core.spans import Span, clip, union
from poorwill.core.tariff import Tariff, micros, per_micro
from poorwill.core.terms import Terms


@dataclass(frozen=True, slots=True)
class Saved:
    """``always`` is what one instance would have cost from ``since`` on, ``cost`` what it did cost. Of a
    machine that is all of it, and what is on it is not counted again.
    """

    name: str
    kind: str
    since: float
    always: Decimal
    cost: Decimal
    currency: str

    @property
    def amount(self) -> Decimal:
        """Below zero where several instances, or started hours, cost more than one all the time."""
        return self.always - self.cost


def saved(
    lines: Iterable[Line],
    lives: Iterable[Life],
    terms: Sequence[Terms],
    kept: Mapping[str, Sequence[Span]],
    since: float,
    until: float,
) -> tuple[Saved, ...]:
    """For services and machines with a price; not for jobs, which nobody would let run all the time.

    ``kept`` is by payer when it was configured and a Poorwill ran. A life counts up to ``until`` at most.
    """
    tariff = Tariff(terms)
    there: dict[str, list[Span]] = defaultdict(list)
    for life in lives:
        there[life.payer].append((life.start, until if life.end is None else life.end))
    costs: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in lines:
        if line.amount is not None:
            costs[line.name, line.currency] += own_cost(line)
    found = []
    for payer in sorted({*kept, *there}):
        counted = union(clip([*kept.get(payer, ()), *there[payer]], since, until))
        if tariff.kind(payer) == "job" or not counted:
            continue
        for currency, always in _always(tariff, payer, counted).items():
            cost = costs[payer, currency]
            found.append(Saved(payer, tariff.kind(payer), counted[0][0], decimal(always), cost, currency))
    return tuple(found)


def own_cost(line: Line) -> Decimal:
    """Of a machine all of it, of others what they paid beside their part of one."""
    return (line.amount or Decimal(0)) - line.shared if line.whole is None else line.whole


def _always(tariff: Tariff, payer: str, counted: Iterable[Span]) -> dict[str, Fraction]:
    """By currency; nothing for what lives on a machine that is paid for."""
    whole: dict[str, Fraction] = defaultdict(Fraction)
    for start, stop in counted:
        for rate in tariff.rates(payer, micros(start), micros(stop)):
            if rate.price is not None and not rate.machine:
                whole[rate.currency] += per_micro(rate.price) * (rate.end - rate.start)
    return whole
