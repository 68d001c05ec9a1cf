"""What was spent in some periods: the same as the books say, with fewer lives to look at."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.accounts.conftest import Kept

from poorwill.accounts import spent
from poorwill.accounts.books import Books
from poorwill.core.budget import HOURS, Budget
from poorwill.core.life import Life
from poorwill.core.period import Per, Period, period_from
from poorwill.core.price import Price
from poorwill.core.spending import used
from poorwill.core.terms import Terms

ZONE = "Asia/Shanghai"
DAYS = [period_from(Per.DAY, date(2026, 10, day), ZONE) for day in range(1, 32)]
MONTH = period_from(Per.MONTH, date(2026, 10, 1), ZONE)


def test_the_days_of_a_month_make_the_month(october: Kept) -> None:
    found = spent.read(october.settings.state, [MONTH, *DAYS], MONTH.stop)
    for payer in ("kb", ""):
        for unit in (HOURS, "CNY"):
            budget = Budget(payer, Per.MONTH, ZONE, Decimal(1), unit)
            whole = used(budget, found.lines[MONTH])
            days = sum((used(budget, found.lines[day]) for day in DAYS), Decimal(0))
            assert whole > 0
            assert abs(whole - days) < Decimal("0.0001"), (payer, unit)
    known = found.known_since("")
    assert known is not None
    assert known <= MONTH.start
    costs = [line for line in found.lines[MONTH] if line.kind == "cost"]
    assert sum(line.amount or 0 for line in costs) == 43


PRICE = Price("CNY", Decimal(3600))
TERMS = (
    Terms("gpu", 0.0, PRICE, kind="machine"),
    Terms("a", 0.0, machine="gpu"),
    Terms("b", 0.0, machine="gpu"),
    Terms("c", 0.0, PRICE),
)
moments = st.integers(0, 100).map(float)


@st.composite
def lives(draw: st.DrawFn) -> tuple[Life, ...]:
    """Of each a few, one after the other; the last may go on."""
    found: list[Life] = []
    for payer in ("gpu", "a", "b", "c"):
        cuts = sorted(draw(st.sets(moments, max_size=6)))
        for start, end in zip(cuts[::2], [*cuts[1::2], None], strict=False):
            found.append(Life(payer, f"{payer}-1", start, end))
    return tuple(found)


@given(lives(), moments, st.integers(1, 30))
def test_what_is_left_out_changes_nothing(known: tuple[Life, ...], start: float, length: int) -> None:
    books = Books(0.0, 120.0, 120.0, 0.0, known, TERMS)
    time = Period(Per.DAY, date(1970, 1, 1), start, start + length, "UTC")
    assert spent.near(books, time).lines(time) == books.lines(time)
