"""What a time cost: by example, and against the figures of somebody who counts every second."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.bills import slow_amounts

from poorwill.core.bill import Line, lines
from poorwill.core.life import Life
from poorwill.core.meter import Meter
from poorwill.core.money import decimal
from poorwill.core.period import Per, period_from, period_of
from poorwill.core.price import Power, Price
from poorwill.core.terms import Terms

H = 3600.0
PRICE = Price("CNY", Decimal("3.90"))
OFTEN = 150


def bill(
    lives: list[Life], terms: list[Terms], since: float = 0.0, until: float = 100 * H, **more: object
) -> dict[str, Line]:
    found = lines(lives, terms, more.get("meters", ()), since, until, float(more.get("now", 100 * H)))  # type: ignore[arg-type]
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


def solo(price: Price | None = PRICE, since: float = 0.0) -> Terms:
    return Terms("a", since, price)


def test_an_hour_costs_what_it_costs() -> None:
    found = bill([Life("a", "a-1", H, 2 * H), Life("a", "a-2", H, 1.5 * H, unconfirmed=60)], [solo()])["a"]
    assert (found.amount, found.seconds, found.paid_seconds) == (Decimal("5.85"), 5400, 5400)
    assert (found.starts, found.unconfirmed, found.kind, found.currency) == (2, 60, "service", "CNY")


@pytest.mark.parametrize(
    ("step", "minimum", "length", "paid"),
    [
        (1, 0, 10.2, 11),
        (0, 0, 10.2, 10.2),
        (60, 0, 60, 60),
        (60, 0, 60.5, 120),
        (3600, 0, 1, 3600),
        (1, 60, 10.2, 60),
        (1, 60, 75.5, 76),
        (60, 90, 10, 120),
        (0, 60, 10.2, 60),
        (1, 60, 0, 60),
    ],
)
def test_steps_that_are_begun_and_a_minimum(step: float, minimum: float, length: float, paid: float) -> None:
    price = Price("CNY", Decimal(3600), step=step, minimum=minimum)
    found = bill([Life("a", "a-1", 5.0, 5.0 + length)], [solo(price)])["a"]
    assert found.paid_seconds == pytest.approx(paid)
    assert found.amount == Decimal(str(paid))
    assert found.seconds == pytest.approx(length)


def test_what_is_rounded_up_belongs_to_the_last_moment() -> None:
    hourly = [solo(Price("CNY", Decimal(1), step=H))]
    life = [Life("a", "a-1", H, 2.5 * H)]
    assert bill(life, hourly, 0, 2 * H)["a"].amount == Decimal(1)
    assert bill(life, hourly, 2 * H, 3 * H)["a"].amount == Decimal(1)
    on_time = [Life("a", "a-1", 0.0, 1.5 * H)]
    assert bill(on_time, hourly, 0, 1.5 * H)["a"].amount == Decimal(2)
    assert bill(on_time, hourly, 1.5 * H, 3 * H) == {}


def test_what_goes_on_is_paid_up_to_now() -> None:
    life = [Life("a", "a-1", H)]
    assert bill(life, [solo()], now=3 * H)["a"].amount == Decimal("7.80")
    assert bill(life, [solo(Price("CNY", Decimal(1), step=H))], now=1.1 * H)["a"].amount == Decimal(1)


def test_a_new_price_counts_from_when_it_was_stated() -> None:
    terms = [solo(), solo(Price("CNY", Decimal("7.80")), 2 * H)]
    found = bill([Life("a", "a-1", H, 3 * H)], terms)["a"]
    assert found.amount == Decimal("11.70")
    assert found.backdated == 0


def test_what_was_before_the_first_price_is_paid_at_it_and_said() -> None:
    for terms in ([solo(since=2 * H)], [solo(None), solo(since=2 * H)]):
        found = bill([Life("a", "a-1", H, 3 * H)], terms)["a"]
        assert (found.amount, found.backdated) == (Decimal("7.80"), H)


def test_hours_without_a_price_are_hours() -> None:
    found = bill([Life("a", "a-1", H, 3 * H)], [solo(None)])["a"]
    assert (found.amount, found.currency, found.seconds) == (None, "", 2 * H)
    assert bill([Life("a", "a-1", H, 3 * H)], [])["a"].amount is None


def test_two_currencies_are_two_lines() -> None:
    terms = [solo(), solo(Price("USD", Decimal(1)), 2 * H), solo(None, 3 * H)]
    found = lines([Life("a", "a-1", H, 4 * H)], terms, (), 0, 100 * H, 100 * H)
    assert [(one.currency, one.amount, one.seconds, one.starts) for one in found] == [
        ("", None, H, 0),
        ("CNY", Decimal("3.90"), H, 1),
        ("USD", Decimal(1), H, 0),
    ]


def test_a_typical_price_is_marked() -> None:
    found = bill([Life("a", "a-1", 0, H)], [solo(Price("CNY", Decimal(1), typical=True))])
    assert found["a"].typical


ON = [
    Terms("m", 0, Price("CNY", Decimal(10)), kind="machine"),
    Terms("a", 0, machine="m"),
    Terms("b", 0, machine="m", kind="job"),
]


def test_a_machine_is_paid_for_once_and_shared_while_several_are_there() -> None:
    lives = [
        Life("m", "m-1", 0, 4 * H),
        Life("a", "a-1", H, 3 * H),
        Life("a", "a-2", H, 2 * H),  # two instances are one service
        Life("b", "b-1", 2 * H, 3 * H),
    ]
    found = bill(lives, ON)
    # a alone from 1 to 2, both from 2 to 3; the hours of coming and going two to one, as they were there
    assert found["a"].amount == decimal(10 + 5 + Fraction(40, 3))
    assert found["b"].amount == decimal(5 + Fraction(20, 3))
    assert (found["m"].amount, found["m"].whole, found["m"].seconds) == (Decimal(0), Decimal(40), 4 * H)
    assert (found["a"].machine, found["a"].seconds, found["b"].kind) == ("m", 3 * H, "job")


def test_a_machine_nobody_was_on_pays_for_itself() -> None:
    found = bill(
        [Life("m", "m-1", 0, 2 * H), Life("m", "m-1", 5 * H, 6 * H), Life("a", "a-1", 5 * H, 6 * H)], ON
    )
    assert (found["m"].amount, found["a"].amount) == (Decimal(20), Decimal(10))


def test_who_is_on_a_machine_without_a_price_pays_its_own() -> None:
    terms = [Terms("m", 0, kind="machine"), Terms("a", 0, PRICE, machine="m")]
    found = bill([Life("m", "m-1", 0, 2 * H), Life("a", "a-1", 0, H)], terms)
    assert (found["m"].amount, found["a"].amount, found["a"].machine) == (None, Decimal("3.90"), "")


def test_power_is_measured_where_it_was_and_else_taken_for_granted() -> None:
    own = Price("CNY", power=Power(Decimal(300), Decimal("0.50"), True, Decimal(100)), step=0)
    meters = [Meter("a", H, 2 * H, Decimal("0.2")), Meter("a", 1.5 * H, 2 * H, Decimal(9))]
    life = [Life("a", "a-1", 0, 3 * H)]
    assert bill(life, [solo(own)], meters=meters)["a"].amount == Decimal("0.45")  # 0.3 + 0.2 + 0.1 + 0.3 kWh
    plain = Price("CNY", power=Power(Decimal(300), Decimal("0.50")), step=0)
    assert bill(life, [solo(plain)], meters=meters)["a"].amount == Decimal("0.45")


def test_of_what_several_drew_together_each_pays_its_part() -> None:
    own = Price("CNY", power=Power(Decimal(1000), Decimal(1), True), step=0)
    lives = [Life("a", "a-1", 0, 2 * H), Life("a", "a-2", H, 2 * H)]
    assert bill(lives, [solo(own)], meters=[Meter("a", 0, 2 * H, Decimal("0.5"))])["a"].amount == Decimal(
        "0.5"
    )


def test_the_days_of_a_month_add_up_to_it_where_clocks_change() -> None:
    zone = "Europe/Berlin"
    month = period_of(Per.MONTH, 1_793_000_000.0, zone)  # October 2026: 745 hours
    lives = [Life("a", "a-1", month.start - 7e5, month.stop + 99)]
    whole = bill(lives, [solo()], month.start, month.stop, now=2e9)["a"]
    assert whole.seconds == 745 * H
    day, total = period_from(Per.DAY, month.first, zone), Decimal(0)
    while day.start < month.stop:
        total += bill(lives, [solo()], day.start, day.stop, now=2e9)["a"].amount or 0
        day = period_of(Per.DAY, day.stop, zone)
    assert total == whole.amount == Decimal("2905.50")


# --- against the slow way -------------------------------------------------------------------------

_prices = st.builds(
    Price,
    currency=st.sampled_from(["CNY", "USD"]),
    per_hour=st.sampled_from([Decimal("3.90"), Decimal("0.07"), Decimal(0)]),
    step=st.sampled_from([0.0, 1.0, 7.0]),
    minimum=st.sampled_from([0.0, 5.0]),
)
_powers = st.builds(
    lambda measured, base: Price("CNY", power=Power(Decimal(350), Decimal("0.62"), measured, base), step=0.0),
    st.booleans(),
    st.sampled_from([Decimal(0), Decimal(60)]),
)
_times = st.integers(0, 30).map(float)


def _terms(payer: str, kind: str, machine: str = "") -> st.SearchStrategy[list[Terms]]:
    price = st.none() | _prices | _powers
    on = st.sampled_from(["", machine])
    one = st.builds(Terms, payer=st.just(payer), since=_times, price=price, machine=on, kind=st.just(kind))
    return st.lists(one, max_size=3, unique_by=lambda each: each.since)


@st.composite
def _lives(draw: st.DrawFn, payer: str) -> list[Life]:
    """Of two instances, each one after the other."""
    found = []
    for instance in ("1", "2"):
        cuts = sorted(draw(st.lists(st.integers(0, 30), max_size=4)))
        ends = list(zip(cuts[::2], cuts[1::2], strict=False))
        found += [Life(payer, instance, float(a), float(b)) for a, b in ends]
        if len(cuts) % 2:
            found.append(
                Life(payer, instance, float(cuts[-1]), None, unconfirmed=float(draw(st.integers(0, 9))))
            )
    return found


_meters = st.lists(
    st.builds(
        lambda payer, since, length, kwh: Meter(payer, since, since + length, kwh),
        st.sampled_from(["a", "m"]),
        _times,
        st.integers(1, 9),
        st.sampled_from([Decimal("0.01"), Decimal("0.003")]),
    ),
    max_size=3,
)
_terms_of_all = st.tuples(_terms("a", "service", "m"), _terms("b", "job", "m"), _terms("m", "machine")).map(
    lambda each: [one for some in each for one in some]
)
_lives_of_all = st.tuples(_lives("a"), _lives("b"), _lives("m")).map(
    lambda each: [one for some in each for one in some]
)
NOW = 33


def _apart(meters: list[Meter]) -> list[Meter]:
    """Without those that overlap an earlier one: what counts then is in the example above."""
    found: list[Meter] = []
    for meter in sorted(meters, key=lambda one: one.since):
        if all(one.until <= meter.since for one in found if one.payer == meter.payer):
            found.append(meter)
    return found


@settings(max_examples=OFTEN, deadline=None)
@given(_lives_of_all, _terms_of_all, _meters.map(_apart), st.integers(-1, NOW), st.integers(0, NOW))
def test_equals_the_slow_way(
    lives: list[Life], terms: list[Terms], meters: list[Meter], since: int, length: int
) -> None:
    until = min(since + length, NOW)
    found = lines(lives, terms, meters, since, until, NOW)
    slow = slow_amounts(lives, terms, meters, since, until, NOW)
    for line in found:
        expected = decimal(slow.pop((line.name, line.currency), Fraction(0)))
        if line.currency:
            assert line.amount is not None
            assert abs(line.amount - expected) < Decimal("1e-24")
    assert not any(slow.values())


@settings(max_examples=OFTEN, deadline=None)
@given(_lives_of_all, _terms_of_all, _meters, st.lists(st.floats(-1, NOW), min_size=1, max_size=5))
def test_nothing_is_lost_or_doubled_where_it_is_split(
    lives: list[Life], terms: list[Terms], meters: list[Meter], cuts: list[float]
) -> None:
    names = ("seconds", "paid_seconds", "unconfirmed", "starts", "backdated", "amount", "whole")
    edges = [-2.0, *sorted(cuts), NOW + 1.0]
    summed: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for start, stop in pairwise(edges):
        for line in lines(lives, terms, meters, start, stop, NOW):
            for name in names:
                summed[line.name, line.currency, name] += Decimal(str(getattr(line, name) or 0))
    for line in lines(lives, terms, meters, edges[0], edges[-1], NOW):
        for name in names:
            whole = Decimal(str(getattr(line, name) or 0))
            assert abs(summed.pop((line.name, line.currency, name)) - whole) < Decimal("1e-9")
    assert not any(summed.values())


def test_a_machine_says_who_had_which_part() -> None:
    """And who is on one without a price, is on it all the same."""
    lives = [Life("m", "m-1", 0, 4 * H), Life("a", "a-1", H, 3 * H), Life("b", "b-1", H, 2 * H)]
    terms = [Terms("m", 0, Price("CNY", Decimal(3), typical=True), kind="machine")]
    terms += [Terms(name, 0, machine="m") for name in ("a", "b")]
    found = bill(lives, terms)
    assert found["m"].shares == (("a", Decimal("8.5")), ("b", Decimal("3.5")))
    assert (found["m"].whole, found["m"].typical) == (12, True)
    bare = bill(lives, [replace(one, price=None) for one in terms])["a"]
    assert (bare.on, bare.machine, bare.amount) == ("m", "", None)
