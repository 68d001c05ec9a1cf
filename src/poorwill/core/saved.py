"""What sleeping saved: one instance all the time, at the price in force, without what it really cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from poorwill.core.bill import Line
from poorwill.core.life import Life
from poorwill.core.money import decimal
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
    lines: Iterable[Line], lives: Iterable[Life], terms: Sequence[Terms], since: float, until: float
) -> tuple[Saved, ...]:
    """For services and machines with a price; not for jobs, which nobody would let run all the time.

    It counts from when something was first known of each: its first terms or its first life.
    """
    tariff = Tariff(terms)
    known: dict[str, float] = {}
    for payer, at in [*((one.payer, one.since) for one in terms), *((one.payer, one.start) for one in lives)]:
        known[payer] = min(at, known.get(payer, at))
    costs: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in lines:
        if line.amount is not None:
            costs[line.name, line.currency] += own_cost(line)
    found = []
    for payer, first in sorted(known.items()):
        start = max(since, first)
        if tariff.kind(payer) == "job" or start >= until:
            continue
        for currency, always in _always(tariff, payer, start, until).items():
            cost = costs[payer, currency]
            found.append(Saved(payer, tariff.kind(payer), start, decimal(always), cost, currency))
    return tuple(found)


def own_cost(line: Line) -> Decimal:
    """Of a machine all of it, of others what they paid beside their part of one."""
    return (line.amount or Decimal(0)) - line.shared if line.whole is None else line.whole


def _always(tariff: Tariff, payer: str, start: float, until: float) -> dict[str, Fraction]:
    """By currency; nothing for what lives on a machine that is paid for."""
    whole: dict[str, Fraction] = defaultdict(Fraction)
    for rate in tariff.rates(payer, micros(start), micros(until)):
        if rate.price is not None and not rate.machine:
            whole[rate.currency] += per_micro(rate.price) * (rate.end - rate.start)
    return whole
