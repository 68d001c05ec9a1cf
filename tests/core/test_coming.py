"""Who comes and goes between two bills: reckoned as the next bill will say it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from tests.core.standings import a_budget

from poorwill.core.ahead import going
from poorwill.core.bill import lines
from poorwill.core.budget import HOURS, Standing
from poorwill.core.coming import Awake, changed, later
from poorwill.core.life import Life
from poorwill.core.period import Per, period_of
from poorwill.core.price import Price
from poorwill.core.spending import growth, used
from poorwill.core.tariff import SECOND
from poorwill.core.terms import Terms

PRICES = {
    "gpu": Price("CNY", Decimal(3600), step=60.0),
    "c": Price("CNY", Decimal(360), minimum=60.0),
}
ON = {"a": "gpu", "b": "gpu"}
TERMS = [
    Terms("gpu", 0.0, PRICES["gpu"], kind="machine"),
    Terms("c", 0.0, PRICES["c"]),
    *(Terms(name, 0.0, machine="gpu") for name in ON),
]
DAY = period_of(Per.DAY, 0.0, "UTC")
FIRST = [Life("gpu", "gpu", 0.0), Life("a", "a", 50.0)]
THEN = [*FIRST, Life("b", "b", 230.0), Life("c", "c", 230.0)]
LAST = [FIRST[0], Life("a", "a", 50.0, 260.0), *THEN[2:]]


def awake(**instances: int) -> Awake:
    return Awake(instances, ON)


@pytest.mark.parametrize("unit", [HOURS, "CNY"])
@pytest.mark.parametrize("payer", ["", "gpu", "a", "b", "c"])
def test_it_is_what_the_next_bill_says(payer: str, unit: str) -> None:
    budget = a_budget(payer=payer, unit=unit)

    def bill(lives: list[Life], now: float) -> Decimal:
        return used(budget, lines(lives, TERMS, [], DAY.start, now, now))

    def agrees(one: Standing, lives: list[Life], until: float) -> None:
        for at in range(int(one.at) + 1, int(until)):
            assert abs(one.used_at(at) - bill(lives, at)) < Decimal("1e-9"), at

    ahead = going(FIRST, TERMS, [], DAY.start, 200.0)
    one = Standing(budget, DAY, bill(FIRST, 200.0), 200.0, growth(budget, ahead))
    agrees(one, FIRST, 230.0)
    ahead = changed(later(ahead, 30 * SECOND), awake(gpu=1, a=1), awake(gpu=1, a=1, b=1, c=1), PRICES)
    one = replace(one, used=one.used_at(230.0), at=230.0, growth=growth(budget, ahead))
    agrees(one, THEN, 260.0)
    ahead = changed(later(ahead, 30 * SECOND), awake(gpu=1, a=1, b=1, c=1), awake(gpu=1, b=1, c=1), PRICES)
    one = replace(one, used=one.used_at(260.0), at=260.0, growth=growth(budget, ahead))
    agrees(one, LAST, 500.0)


def test_of_whom_nobody_knows_a_price_the_hours_go_on() -> None:
    (one,) = changed((), awake(), awake(free=1), {})
    (hours,) = growth(a_budget(payer="free"), [one])
    assert hours.after(3600 * SECOND) == Fraction(1)
    assert growth(a_budget(payer="free", unit="CNY"), [one]) == ()
