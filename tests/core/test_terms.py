"""Which price held when, when it was put right later: by example, and by the latest line that covers it."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from poorwill.core.bill import Line, lines
from poorwill.core.life import Life
from poorwill.core.price import Price
from poorwill.core.tariff import Tariff, micros
from poorwill.core.terms import Terms, in_force

NOW = 100.0
WRONG, RIGHT = Price("CNY", Decimal(39)), Price("CNY", Decimal("3.9"))
PRICES = (None, WRONG, RIGHT, Price("USD", Decimal(2)))
LIVES = [Life("a", "a-1", 2, 30), Life("m", "m-1", 1, 90), Life("a", "a-2", 40, 80), Life("b", "b-1", 5, 60)]

moments = st.integers(0, 99).map(float)
statements = st.lists(
    st.tuples(moments, st.sampled_from(PRICES), st.none() | moments), min_size=1, max_size=6
).map(lambda told: [Terms("a", *each) for each in sorted(told, key=lambda one: one[0])])


def stated(at: float, price: Price | None, since: float | None = None) -> Terms:
    return Terms("a", at, price, counts_from=since)


def bill(terms: list[Terms]) -> tuple[Line, ...]:
    return lines(LIVES, in_force(terms, NOW), (), 0, NOW, NOW)


def test_a_price_that_says_nothing_changes_nothing_about_the_past() -> None:
    told = [stated(0, WRONG), stated(50, RIGHT)]
    assert in_force(told, NOW) == tuple(told)


def test_a_mistaken_price_put_right() -> None:
    told = [stated(0, WRONG), stated(50, RIGHT, since=10)]
    assert [(one.since, one.price) for one in in_force(told, NOW)] == [(0, WRONG), (10, RIGHT), (50, RIGHT)]
    assert [one.corrects for one in told] == [False, True]


def test_a_price_that_was_taken_out_by_mistake() -> None:
    told = [stated(0, RIGHT), stated(40, None), stated(70, RIGHT, since=40)]
    assert {one.price for one in in_force(told, NOW)} == {RIGHT}


def test_a_price_to_come_holds_when_it_comes_unless_another_is_stated() -> None:
    told = [stated(0, RIGHT), stated(50, WRONG, since=90)]
    assert {one.price for one in in_force(told, 89)} == {RIGHT}
    assert in_force(told, NOW)[-1].price == WRONG
    assert {one.price for one in in_force([*told, stated(60, RIGHT)], NOW)} == {RIGHT}


def test_where_it_ran_is_not_changed() -> None:
    told = [Terms("a", 0, machine="m"), Terms("a", 20, WRONG, place="docker"), stated(50, RIGHT, since=0)]
    held = in_force(told, NOW)
    assert [(one.since, one.machine, one.place) for one in held] == [
        (0, "m", ""),
        (20, "", "docker"),
        (50, "", ""),
    ]
    assert {one.price for one in held} == {RIGHT}


@given(statements)
def test_the_latest_line_wins_for_the_time_it_covers(told: list[Terms]) -> None:
    held = in_force(told, NOW)
    assert [one.since for one in held] == sorted({one.since for one in held})
    first = told[0].since
    for second in range(int(first), 100):
        covers = [
            one for one in told if (one.since if one.counts_from is None else one.counts_from) <= second
        ]
        expected = covers[-1].price if covers else None
        assert [one for one in held if one.since <= second][-1].price == expected


@given(
    statements,
    st.sampled_from(PRICES[1:]),
    st.lists(st.tuples(st.booleans(), moments), max_size=2),
)
def test_bills_with_a_correction_are_those_with_the_right_price_from_the_beginning(
    told: list[Terms], right: Price, others: list[tuple[bool, float]]
) -> None:
    """Also of a machine that is shared, and of what has terms of its own beside it."""
    first, last = told[0].since, told[-1].since
    for kind, beside in (
        ("service", []),
        ("machine", [Terms("a", 0, machine="m"), Terms("b", 0, machine="m")]),
    ):
        payer = "a" if kind == "service" else "m"
        wrong = [Terms(payer, one.since, one.price, kind=kind, counts_from=one.counts_from) for one in told]
        mended = [*wrong, Terms(payer, last, right, kind=kind, counts_from=first)]
        assert bill([*beside, *mended]) == bill([*beside, Terms(payer, first, right, kind=kind)])


def test_what_was_before_the_first_terms_is_known_to_nobody() -> None:
    """A price that counts from before is still one that was only stated later."""
    tariff = Tariff(in_force([stated(50, RIGHT, since=0)], NOW))
    assert [rate.backdated for rate in tariff.rates("a", 0, micros(60))] == [True, False]
