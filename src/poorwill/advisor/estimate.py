"""What a month would cost, before anything runs: several plans for being awake, side by side.

A plan is paid for by its hours, for what each wake adds (the start, and the time until it sleeps again), for
the steps in which the provider bills, and for what is fixed. The gateway is paid for only where Poorwill is
used: not by a machine that runs day and night.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from poorwill.advisor.demand import DAY, Visits, awake

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Month:
    """``workdays`` of its ``days`` are Monday to Friday. ``first`` None: any month, counted from tomorrow."""

    days: int = 30
    workdays: int = 22
    first: date | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """What an hour costs. ``step`` and ``minimum`` are seconds: what is begun is paid, each life at least."""

    per_hour: Decimal
    currency: str
    step: float = 1.0
    minimum: float = 0.0

    def of(self, seconds: float) -> Decimal:
        """To a thousandth of a second exact."""
        return self.per_hour * Decimal(round(seconds * 1000)) / 3_600_000

    def paid(self, life: float) -> float:
        """The seconds that one life of this length is charged as."""
        longer = max(life, self.minimum)
        return math.ceil(round(longer / self.step, 6)) * self.step if self.step else longer


@dataclass(frozen=True, slots=True)
class Fixed:
    """Paid for the month whatever is awake. ``gateway``: only where Poorwill is used."""

    name: str
    amount: Decimal
    gateway: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """``seconds`` it is wanted awake in the month, in ``lives`` pieces. ``extra`` seconds are what starting
    and falling asleep add to them, ``rounding`` seconds what the provider's steps add.

    ``always``: it never sleeps, and needs no Poorwill.
    """

    name: str
    says: str
    seconds: float
    lives: float = 0.0
    extra: float = 0.0
    rounding: float = 0.0
    always: bool = False


@dataclass(frozen=True, slots=True)
class Bill:
    """What a plan costs; each part exact, and ``total`` their sum."""

    plan: Plan
    hours: Decimal
    extra: Decimal
    rounding: Decimal
    fixed: tuple[tuple[str, Decimal], ...]
    currency: str

    @property
    def total(self) -> Decimal:
        return self.hours + self.extra + self.rounding + sum((amount for _, amount in self.fixed), Decimal(0))


@dataclass(frozen=True, slots=True)
class Difference:
    """Why one plan costs less (below 0) or more than another, part by part."""

    hours: Decimal
    extra: Decimal
    rounding: Decimal
    fixed: tuple[tuple[str, Decimal], ...]

    @property
    def total(self) -> Decimal:
        return self.hours + self.extra + self.rounding + sum((amount for _, amount in self.fixed), Decimal(0))


def always(month: Month) -> Plan:
    return Plan("24x7", f"day and night, {month.days} days", month.days * DAY, always=True)


def windows(name: str, says: str, lengths: Sequence[float], visits: Visits, rate: Rate) -> Plan:
    """Awake in windows of these lengths, in seconds. Each is started for, and outlasted by the idle time:
    that is the most, with somebody there until its end.
    """
    around = visits.wake + visits.idle
    # A day has no more than a day: what is awake all day is neither started nor put to sleep.
    lives = [length for length in lengths if length < DAY]
    extra = sum(min(around, DAY - length) for length in lives)
    rounding = sum(rate.paid(life) - life for life in (min(length + around, DAY) for length in lives))
    return Plan(name, says, sum(lengths), len(lives), extra, rounding)


def on_request(month: Month, visits: Visits, rate: Rate) -> Plan:
    """Awake when somebody comes; see ``demand``."""
    day = awake(visits)
    lives = day.wakes * month.days
    rounding = 0.0
    if lives:
        life = day.total / day.wakes
        # Where in a step a life ends is chance: half a step is begun and not used.
        half = rate.step / 2 if rate.step > 1 else 0.0
        rounding = lives * (max(life + half, rate.minimum) - life)
        rounding = min(rounding, month.days * (DAY - day.total))
    says = f"when one of {per_day_text(visits.per_day)} visits a day comes"
    extra = (day.waiting + day.starting) * month.days
    return Plan("on request", says, day.used * month.days, lives, extra, rounding)


def per_day_text(count: float) -> str:
    """``40``, ``0.43``, ``1000000``."""
    return f"{round(count, 2):.10g}"


def bill(plan: Plan, rate: Rate, fixed: Sequence[Fixed]) -> Bill:
    """What the month costs with this plan."""
    items = tuple((item.name, item.amount) for item in fixed if not (plan.always and item.gateway))
    return Bill(
        plan=plan,
        hours=rate.of(plan.seconds),
        extra=rate.of(plan.extra),
        rounding=rate.of(plan.rounding),
        fixed=items,
        currency=rate.currency,
    )


def difference(one: Bill, other: Bill) -> Difference:
    """What makes ``one`` cost what it does, beside ``other``. Both are in the same currency."""
    before = dict(other.fixed)
    now = dict(one.fixed)
    names = dict.fromkeys([*before, *now])
    zero = Decimal(0)
    changed = [(name, now.get(name, zero) - before.get(name, zero)) for name in names]
    return Difference(
        hours=one.hours - other.hours,
        extra=one.extra - other.extra,
        rounding=one.rounding - other.rounding,
        fixed=tuple((name, amount) for name, amount in changed if amount),
    )


def usual(month: Month, hours: float, workday_hours: float, visits: Visits, rate: Rate) -> list[Plan]:
    """The plans that people compare; ``hours`` and ``workday_hours`` of a day."""
    daily = f"{hours:g} h a day, {month.days} days"
    working = f"{workday_hours:g} h a day, {month.workdays} workdays"
    plans = [
        always(month),
        windows(f"{hours:g} h daily", daily, [hours * HOUR] * month.days, visits, rate),
        windows(
            f"workdays {workday_hours:g} h", working, [workday_hours * HOUR] * month.workdays, visits, rate
        ),
    ]
    if visits.per_day:
        plans.append(on_request(month, visits, rate))
    return [replace(plan, seconds=min(plan.seconds, month.days * DAY)) for plan in plans]
