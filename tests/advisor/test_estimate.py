"""The table that people keep by hand, on an A10G at 3.90 CNY an hour: 24x7 about 2800 CNY, 10 hours a day
about 1200, workdays 8 hours about 750. Ours must say the same, and why.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from poorwill.advisor.demand import DAY, Visits
from poorwill.advisor.estimate import Bill, Fixed, Month, Rate, bill, difference, on_request, usual, windows

RATE = Rate(Decimal("3.90"), "CNY")
VISITS = Visits(per_day=40, hours=36_000, visit=300, idle=600, wake=60)
FIXED = (Fixed("storage", Decimal(35)), Fixed("gateway", Decimal(8), gateway=True))


def bills(rate: Rate = RATE, visits: Visits = VISITS) -> list[Bill]:
    return [bill(plan, rate, FIXED) for plan in usual(Month(), 10, 8, visits, rate)]


def test_the_table_kept_by_hand() -> None:
    always, daily, workdays, _ = bills()
    for one, by_hand in ((always, 2800), (daily, 1200), (workdays, 750)):
        assert float(one.total) == pytest.approx(by_hand, rel=0.03)
    assert always.hours == Decimal(2808)  # 720 h
    assert always.fixed == (("storage", Decimal(35)),)
    assert daily.hours + Decimal(35 + 8) == Decimal(1213)  # 300 h and what is fixed
    assert daily.extra == Decimal("21.45")  # 30 x 11 minutes
    assert workdays.hours == Decimal("686.40")  # 176 h
    assert workdays.total == Decimal("745.13")  # with 22 x 11 minutes and what is fixed


def test_the_parts_add_up_to_the_difference() -> None:
    first, *others = bills(Rate(Decimal("3.90"), "CNY", step=3600.0))
    for one in others:
        part = difference(one, first)
        assert abs(part.total - (one.total - first.total)) < Decimal("1e-15")
        assert part.hours < 0
        assert part.extra > 0
        assert part.rounding > 0
        assert part.fixed == (("gateway", Decimal(8)),)


def test_few_visits_are_cheapest_on_request_and_many_are_not() -> None:
    few = bills(visits=replace(VISITS, per_day=5))
    assert min(few, key=lambda one: one.total).plan.name == "on request"
    assert few[-1].plan.seconds < 5 * 300 * 30 + 1
    many = bills(visits=replace(VISITS, per_day=5000))
    assert many[-1].total > many[1].total * Decimal("0.99")
    assert [one.plan.name for one in bills(visits=replace(VISITS, per_day=0))][-1] == "workdays 8 h"


@pytest.mark.parametrize("per_day", [1, 40, 1e6])
@pytest.mark.parametrize("hours", [1, 10, 24])
@pytest.mark.parametrize("idle", [1, 600, 90_000])
def test_nothing_is_awake_for_longer_than_a_month(per_day: float, hours: float, idle: float) -> None:
    rate = replace(RATE, step=3600.0, minimum=600.0)
    visits = Visits(per_day=per_day, hours=hours * 3600, visit=300, idle=idle, wake=60)
    for plan in usual(Month(), hours, hours, visits, rate):
        assert plan.seconds >= 0
        assert plan.extra >= 0
        assert plan.rounding >= 0
        assert plan.seconds + plan.extra + plan.rounding <= 30 * DAY * 1.0001, plan


def test_a_whole_day_is_neither_started_nor_put_to_sleep() -> None:
    plan = windows("x", "", [DAY, DAY], VISITS, RATE)
    assert (plan.seconds, plan.lives, plan.extra, plan.rounding) == (2 * DAY, 0, 0, 0)


def test_begun_hours_and_minimums_are_paid() -> None:
    hourly = replace(RATE, step=3600.0)
    [life] = [windows("x", "", [3000.0], replace(VISITS, idle=120, wake=0), hourly)]
    assert life.rounding == 480  # 52 minutes are an hour
    assert replace(RATE, minimum=600.0).paid(60) == 600
    assert hourly.paid(3600) == 3600
    assert hourly.paid(3601) == 7200
    short = Visits(per_day=3, hours=36_000, visit=10, idle=20, wake=0)
    plan = on_request(Month(), short, replace(RATE, minimum=600.0))
    assert plan.rounding == pytest.approx(plan.lives * (600 - 30), rel=0.01)
