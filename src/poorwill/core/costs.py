"""What is paid by the calendar, whether anything is awake or not: storage, the gateway's own machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from poorwill.core.localtime import day_of, start_of
from poorwill.core.money import decimal
from poorwill.core.period import Per, period_of
from poorwill.core.tariff import micros

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cost:
    """``amount`` is for a whole ``per`` (day, week, month or year) by the calendar of ``zone``.

    ``since`` and ``until`` are when it was stated and when it was taken back, in seconds since the epoch;
    None: it holds still. ``service`` is what it is for, empty for everything.
    """

    name: str
    amount: Decimal
    currency: str
    per: str
    zone: str
    budget: Decimal | None = None
    service: str = ""
    since: float = 0.0
    until: float | None = None

    def per_micro(self, wall: float) -> Fraction:
        """What a microsecond costs in the day, week, month or year that an instant is in."""
        begins, ends = _calendar(self.per, wall, self.zone)
        return Fraction(self.amount) / (micros(ends) - micros(begins))

    def as_json(self) -> Json:
        """For the journal; ``cost_from`` reads it. When it holds is said by the lines of the journal."""
        return {
            "name": self.name,
            "amount": str(self.amount),
            "currency": self.currency,
            "per": self.per,
            "zone": self.zone,
            "budget": None if self.budget is None else str(self.budget),
            "service": self.service,
        }


def cost_from(known: Mapping[str, Any], since: float, until: float | None) -> Cost:
    """What ``as_json`` wrote. Raises KeyError or decimal.InvalidOperation for anything else."""
    return Cost(
        name=known["name"],
        amount=Decimal(known["amount"]),
        currency=known["currency"],
        per=known["per"],
        zone=known["zone"],
        budget=None if known["budget"] is None else Decimal(known["budget"]),
        service=known["service"],
        since=since,
        until=until,
    )


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a cost came to within a time: ``amount`` is exact."""

    cost: Cost
    amount: Decimal


def fixed(costs: Iterable[Cost], since: float, until: float) -> tuple[Fixed, ...]:
    """Each that held in this time, by name. A part of a month costs that part of the amount."""
    amounts: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    newest: dict[tuple[str, str], Cost] = {}
    for cost in sorted(costs, key=lambda one: one.since):
        start, stop = max(since, cost.since), min(until, until if cost.until is None else cost.until)
        if start < stop:
            key = cost.name, cost.currency
            amounts[key] += _pro_rata(cost, start, stop)
            newest[key] = cost
    return tuple(Fixed(newest[key], decimal(amounts[key])) for key in sorted(newest))


def _pro_rata(cost: Cost, start: float, stop: float) -> Fraction:
    whole = Fraction(0)
    while start < stop:
        begins, ends = _calendar(cost.per, start, cost.zone)
        here = min(stop, ends)
        whole += Fraction(micros(here) - micros(start), micros(ends) - micros(begins))
        start = here
    return whole * Fraction(cost.amount)


def _calendar(per: str, wall: float, zone: str) -> tuple[float, float]:
    """The day, week, month or year that an instant is in."""
    if per != "year":
        period = period_of(Per(per), wall, zone)
        return period.start, period.stop
    year = day_of(wall, zone).year
    first, next_first = (datetime(number, 1, 1) for number in (year, year + 1))  # noqa: DTZ001
    return start_of(first, zone), start_of(next_first, zone)
