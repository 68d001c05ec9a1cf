"""What is used between two readings of the journal is what the bill of that moment says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.standings import a_budget

from poorwill.core.ahead import going
from poorwill.core.bill import lines
from poorwill.core.budget import HOURS, Budget, Standing
from poorwill.core.life import Life
from poorwill.core.meter import Meter
from poorwill.core.period import Per, Period
from poorwill.core.price import Power, Price
from poorwill.core.spending import growth, used
from poorwill.core.terms import Terms

DAY = Period(Per.DAY, date(1970, 1, 1), 100.0, 100.0 + 86400, "UTC")
MONO = 5000.0


def bill(budget: Budget, lives: Sequence[Life], terms: Sequence[Terms], now: float) -> Decimal:
    return used(budget, lines(lives, terms, METERS, DAY.start, min(DAY.stop, now), now))


def standing(budget: Budget, lives: Sequence[Life], terms: Sequence[Terms], now: float) -> Standing:
    ahead = growth(budget, going(lives, terms, METERS, DAY.start, now))
    return Standing(budget, DAY, bill(budget, lives, terms, now), MONO, ahead)


METERS = (Meter("own", 60.0, 120.0, Decimal("0.01")), Meter("own", 130.0, 190.0, Decimal("0.02")))
POWER = Price("CNY", power=Power(Decimal(500), Decimal("0.6"), measured=True), step=0.0)

prices = st.builds(
    Price,
    st.sampled_from(["CNY", "CNY", "USD", "EUR"]),
    st.decimals(0, 400, places=2),
    step=st.sampled_from([1.0, 60.0, 3600.0]),
    minimum=st.sampled_from([0.0, 0.0, 30.0, 60.0, 100.0, 3600.0]),
)


@st.composite
def terms(draw: st.DrawFn) -> tuple[Terms, ...]:
    """``a`` and ``b`` are on the machine, unless it costs nothing itself; ``c`` may change its price."""
    machine = draw(st.none() | prices)
    own = [Terms("gpu", 0.0, machine, kind="machine"), Terms("own", 0.0, POWER)]
    own += [Terms(name, 0.0, draw(st.none() | prices), machine="gpu") for name in ("a", "b")]
    own += [Terms("c", at, draw(st.none() | prices)) for at in draw(st.sampled_from([[0.0], [0.0, 150.0]]))]
    return tuple(own)


@st.composite
def lives(draw: st.DrawFn) -> tuple[Life, ...]:
    """Up to 200 s; the last of each may go on, of ``c`` two may."""
    found: list[Life] = []
    for number, payer in enumerate(("gpu", "a", "b", "c", "c", "own")):
        cuts = sorted(draw(st.sets(st.integers(0, 200).map(float), max_size=5)))
        for start, end in zip(cuts[::2], [*cuts[1::2], None], strict=False):
            found.append(Life(payer, f"{payer}-{number}", start, end))
    return tuple(found)


budgets = st.builds(
    lambda payer, unit: a_budget(payer=payer, unit=unit).with_rates((("USD", Decimal("7.12")),)),
    st.sampled_from(["", "gpu", "a", "b", "c", "own"]),
    st.sampled_from([HOURS, "CNY"]),
)


@given(budgets, lives(), terms(), st.lists(st.integers(0, 8000), min_size=1, max_size=4))
def test_what_is_used_is_what_the_bill_says(
    budget: Budget, known: tuple[Life, ...], said: tuple[Terms, ...], after: list[int]
) -> None:
    now = standing(budget, known, said, 200.0)
    for seconds in after:
        told = bill(budget, known, said, 200.0 + seconds)
        assert abs(now.used_at(MONO + seconds) - told) < Decimal("1e-9")


@pytest.mark.parametrize(
    ("price", "reached"),
    [
        (Price("CNY", Decimal(360), minimum=60.0), 90.0),
        (Price("CNY", Decimal(360), step=60.0), 60.0),
        (Price("CNY", Decimal(6), step=3600.0), 3600.0),
        (Price("CNY", Decimal(360)), 89.0),
    ],
)
def test_a_limit_is_reached_when_the_step_begins_that_goes_beyond_it(price: Price, reached: float) -> None:
    """In what is paid already nothing is added. By the second, the 90th begins after 89."""
    known, said = [Life("notes", "1", 200.0)], [Terms("notes", 0.0, price)]
    for read_at in (200.0, 230.0):
        now = standing(a_budget("9", unit="CNY"), known, said, read_at)
        spent = now.spent_at()
        assert spent is not None
        assert spent - MONO == pytest.approx(200.0 + reached - read_at, abs=1.001)
        assert now.used_at(spent) >= 9
        assert now.used_at(spent - 0.001) < 9
