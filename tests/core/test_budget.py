"""Budgets: how much is used, when they will be used up, what holds then."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.standings import a_budget, going_on, standing
from tests.core.timetables import MONO, at, wall

from poorwill.core.budget import (
    HOURS,
    AtLimit,
    Standing,
    amount_text,
    in_force,
    look_again,
    threshold,
)
from poorwill.core.model import Now
from poorwill.core.period import Per

NOON = at("2026-11-25 12:00")


def later(seconds: float) -> Now:
    return Now(NOON.wall + seconds, NOON.mono + seconds, NOON.boot)


def test_what_is_used_goes_on_with_the_pace() -> None:
    one = standing(a_budget("10", unit="CNY"), NOON, used="4", pace="3")
    assert one.used_at(MONO) == 4
    assert one.used_at(MONO + 1800) == Decimal("5.5")
    assert one.percent(MONO + 3600) == 70.0
    assert one.used_at(MONO - 60) == 4, "never less than what was read"
    assert one.spent_at() == pytest.approx(MONO + 7200, abs=0.01)
    assert not one.is_spent(NOON.wall + 7199, MONO + 7199)
    assert one.is_spent(NOON.wall + 7200, MONO + 7200)


def test_without_a_pace_it_is_never_used_up() -> None:
    assert standing(a_budget(), NOON, used="99").spent_at() is None
    assert standing(a_budget(), NOON, used="100").spent_at() == MONO


def test_it_holds_in_its_period_only() -> None:
    one = standing(a_budget("1", AtLimit.CLOSED, per=Per.DAY, zone="Asia/Shanghai"), NOON, used="2")
    midnight = wall("2026-11-26 00:00", "Asia/Shanghai")
    assert one.is_spent(midnight - 1, MONO)
    assert not one.is_spent(midnight, MONO)
    assert not one.is_spent(midnight - 86401, MONO), "the clock was set back a day"


def test_of_several_the_one_that_holds_longest_is_told() -> None:
    day = standing(a_budget("1", AtLimit.CLOSED, per=Per.DAY), NOON, used="1")
    month = standing(a_budget("1", AtLimit.CLOSED, per=Per.MONTH), NOON, used="1")
    free = standing(a_budget("2", AtLimit.CLOSED, per=Per.MONTH), NOON, used="1")
    words = standing(a_budget("1", AtLimit.WARN), NOON, used="1")
    everything = (day, month, free, words)
    assert in_force(everything, AtLimit.CLOSED, NOON.wall, MONO) is month
    assert in_force(everything, AtLimit.NO_WAKE, NOON.wall, MONO) is None


amounts = st.decimals(0, 200, places=2)
standings = st.builds(
    lambda limit, what, per, used, pace: replace(
        standing(a_budget(str(limit), what, per=per), NOON), used=used, growth=going_on(pace)
    ),
    st.decimals("0.01", 100, places=2),
    st.sampled_from(AtLimit),
    st.sampled_from(Per),
    amounts,
    amounts,
)


@given(st.lists(standings, max_size=4), st.floats(0, 40 * 86400))
def test_nothing_changes_before_the_next_look_and_something_does_then(
    several: list[Standing], after: float
) -> None:
    def forced(now: Now) -> list[bool]:
        return [one.budget.binds and one.is_spent(now.wall, now.mono) for one in several]

    now = later(after)
    again = look_again(several, now.wall, now.mono)
    if again is None:
        assert forced(later(after + 90 * 86400)) == [False] * len(several)
        return
    ahead = again - now.mono
    assert ahead > 0
    assert forced(later(after + max(0.0, ahead - 0.01))) == forced(now)
    ended = any(one.period.stop <= later(after + ahead + 0.01).wall for one in several)
    assert ended or forced(later(after + ahead + 0.01)) != forced(now)


def test_marks() -> None:
    words = standing(a_budget("100", warn=(50.0, 80.0)), NOON, used="100", pace="0")
    assert threshold(words, MONO) == 80.0
    closes = replace(words, budget=replace(words.budget, at_limit=AtLimit.CLOSED))
    assert threshold(closes, MONO) == 100.0, "that it closes is always told"
    assert threshold(replace(words, used=Decimal("49.99")), MONO) is None


def test_amounts_of_other_currencies() -> None:
    budget = a_budget("400", unit="CNY").with_rates((("USD", Decimal("7.12")),))
    assert budget.worth(Decimal(10), "USD") == Decimal("71.2")
    assert budget.worth(Decimal(10), "CNY") == 10
    assert budget.worth(Decimal(10), "EUR") is None
    assert a_budget(unit=HOURS).with_rates(budget.rates).rates == ()


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        ("100", HOURS, "100 hours"),
        ("1.00", HOURS, "1 hour"),
        ("0.50", HOURS, "0.5 hours"),
        ("400.50", "CNY", "400.5 CNY"),
        ("1E+3", "JPY", "1000 JPY"),
    ],
)
def test_amounts_in_words(amount: str, unit: str, text: str) -> None:
    assert amount_text(Decimal(amount), unit) == text
