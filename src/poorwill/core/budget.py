"""How much of a budget is used, when it will be used up at the present pace, and what holds then.

A budget is hours of instances, or money, for a day, a week or a month. What was used is counted elsewhere;
here it is a number at a moment, and goes on from there with what is awake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction

from poorwill.core import money
from poorwill.core.forecast import Forecast, forecast
from poorwill.core.growth import Grows
from poorwill.core.period import Per, Period
from poorwill.core.tariff import SECOND, micros

HOURS = "h"
"""The unit of a budget of hours; that of one of money is its currency."""

_EXACT = Decimal("1e-12")
"""Figures are as exact as this: a third is used three times before all of it is."""

_DIGITS = Context(prec=60)


class AtLimit(StrEnum):
    """What follows when a budget is used up."""

    WARN = "warn"
    NO_WAKE = "no_wake"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Budget:
    """``payer`` is the service or machine that it is for; empty: everything together. ``zone`` is whose
    calendar the periods follow, ``limit`` in ``unit``. A person is told at the percentages ``warn``.
    ``rates`` is what one of another currency is worth in the budget's.
    """

    payer: str
    per: Per
    zone: str
    limit: Decimal
    unit: str = HOURS
    at_limit: AtLimit = AtLimit.WARN
    warn: tuple[float, ...] = (50.0, 80.0, 100.0)
    rates: tuple[tuple[str, Decimal], ...] = ()

    @property
    def binds(self) -> bool:
        """Whether anything but words follows when it is used up."""
        return self.at_limit is not AtLimit.WARN

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The percentages at which a person is told: always when something is closed."""
        return tuple(sorted({*self.warn, *((100.0,) if self.binds else ())}))

    def with_rates(self, rates: tuple[tuple[str, Decimal], ...]) -> Budget:
        """The same, for what costs money in other currencies too; hours have none."""
        return self if self.unit == HOURS else replace(self, rates=rates)

    def worth(self, amount: Decimal, currency: str) -> Decimal | None:
        """An amount in the unit of the budget; None where nobody said what it is worth there."""
        rate = Decimal(1) if currency == self.unit else dict(self.rates).get(currency)
        return None if rate is None else amount * rate

    def __str__(self) -> str:
        return f"{amount_text(self.limit, self.unit)} a {self.per}"


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget in the period ``period``: at ``at`` (monotonic) ``used`` of it was used, and what goes on is
    ``growth``. ``known`` is since when anything is known of the payer (seconds since the epoch). ``past`` is
    what was used on days before, for the forecast. ``uncounted`` are currencies in which something was paid
    that is missing in ``used``: nobody said what it is worth.
    """

    budget: Budget
    period: Period
    used: Decimal
    at: float
    growth: tuple[Grows, ...] = ()
    known: float | None = None
    past: tuple[tuple[date, Decimal], ...] = ()
    uncounted: tuple[str, ...] = ()

    def used_at(self, mono: float) -> Decimal:
        """What is used by then, if all goes on as it was at ``at``: what the bill of that moment says."""
        return self._after(micros(max(0.0, mono - self.at)))

    def _after(self, gone: int) -> Decimal:
        grown = sum((one.after(gone) for one in self.growth), Fraction(0))
        return (self.used + money.decimal(grown)).quantize(_EXACT, context=_DIGITS)

    def percent(self, mono: float) -> float:
        return float(self.used_at(mono) / self.budget.limit * 100)

    def forecast_at(self, wall: float, mono: float) -> Forecast | None:
        """What will have been used at the end of the period; None when it is too early to tell."""
        return forecast(self.period, self.used_at(mono), wall, dict(self.past), self.known)

    def is_of(self, wall: float) -> bool:
        """Whether an instant is in its period; what lies before or after is about another one."""
        return self.period.start <= wall < self.period.stop

    def is_spent(self, wall: float, mono: float) -> bool:
        return self.is_of(wall) and self.used_at(mono) >= self.budget.limit

    def spent_at(self) -> float | None:
        """When it is used up as it goes on (monotonic): where time is paid in steps, when the one begins that
        reaches the limit. None: not within a whole period. It may be past.
        """
        early, late = -1, micros(self.period.seconds)
        if self._after(late) < self.budget.limit:
            return None
        while late - early > 1:
            middle = (early + late) // 2
            if self._after(middle) >= self.budget.limit:
                late = middle
            else:
                early = middle
        return self.at + late / SECOND


def in_force(standings: Iterable[Standing], what: AtLimit, wall: float, mono: float) -> Standing | None:
    """Of the budgets that are used up and have this to follow, the one that holds longest."""
    spent = [one for one in standings if one.budget.at_limit is what and one.is_spent(wall, mono)]
    return max(spent, key=lambda one: one.period.stop, default=None)


def look_again(standings: Iterable[Standing], wall: float, mono: float) -> float | None:
    """When time alone changes what is in force (monotonic)."""
    moments: list[float] = []
    for one in standings:
        if not one.budget.binds or not one.is_of(wall):
            continue
        ends = mono + (one.period.stop - wall)
        spent = ends if one.is_spent(wall, mono) else one.spent_at()
        moments += [min(ends, spent)] if spent is not None else [ends]
    return min(moments, default=None)


def threshold(standing: Standing, mono: float) -> float | None:
    """The highest percentage to tell of that is reached."""
    percent = standing.percent(mono)
    return max((at for at in standing.budget.thresholds if percent >= at), default=None)


def amount_text(amount: Decimal, unit: str) -> str:
    """``100 h`` or ``400.50 CNY``: as a person wrote it, without zeros that say nothing."""
    text = f"{amount:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} hour{'' if amount == 1 else 's'}" if unit == HOURS else f"{text} {unit}"


def rounded(amount: Decimal, unit: str) -> Decimal:
    """What is used, as it is shown: money as on a bill, hours to a third of a second."""
    return amount.quantize(Decimal("0.0001")) if unit == HOURS else money.rounded(amount, unit)


def used_text(amount: Decimal, unit: str) -> str:
    """``6.00 CNY`` as on a bill; ``28 min 30 s`` where that is less than an hour, else ``1.43 hours``."""
    if unit != HOURS:
        return money.money_text(amount, unit)
    minutes, seconds = divmod(round(amount * 3600), 60)
    if minutes >= 60:
        return amount_text(amount.quantize(Decimal("0.01")), unit)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
