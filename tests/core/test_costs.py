"""What is paid by the calendar: parts of months add up to them."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.timetables import wall

from poorwill.core.costs import Cost, cost_from, fixed

ZONE = "Europe/Berlin"


def cost(per: str = "month", amount: int = 35, since: str = "2020-01-01", until: str = "") -> Cost:
    end = wall(until, ZONE) if until else None
    return Cost("storage", Decimal(amount), "CNY", per, ZONE, since=wall(since, ZONE), until=end)


@pytest.mark.parametrize(
    ("per", "since", "until", "amount"),
    [
        ("month", "2026-10-01", "2026-11-01", 35),
        ("month", "2026-11-16", "2026-12-01", 17.5),
        ("month", "2026-01-01", "2027-01-01", 420),
        ("day", "2026-10-25", "2026-10-26", 35),  # of 25 hours
        ("day", "2026-10-01", "2026-11-01", 35 * 31),
        ("week", "2026-11-02", "2026-11-16", 70),
        ("year", "2026-01-01", "2027-01-01", 35),
        ("year", "2025-12-31 12:00", "2026-01-01 12:00", 35 / 365),
    ],
)
def test_a_part_of_the_time_costs_a_part(per: str, since: str, until: str, amount: float) -> None:
    [found] = fixed([cost(per)], wall(since, ZONE), wall(until, ZONE))
    assert float(found.amount) == pytest.approx(amount, rel=1e-12)


def test_it_counts_while_it_is_stated() -> None:
    dearer = cost(amount=70, since="2026-11-16")
    month = wall("2026-11-01", ZONE), wall("2026-12-01", ZONE)
    [found] = fixed([dearer, cost(until="2026-11-16")], *month)
    assert (found.amount, found.cost) == (Decimal("52.5"), dearer)
    assert fixed([cost(since="2026-12-01")], *month) == ()
    assert fixed([cost()], month[1], month[0]) == ()


@given(st.sampled_from(["day", "week", "month", "year"]), st.lists(st.floats(0, 4e7), min_size=2, max_size=6))
def test_nothing_is_lost_where_it_is_split(per: str, cuts: list[float]) -> None:
    edges = sorted(wall("2026-03-01", ZONE) + cut for cut in cuts)
    parts = [fixed([cost(per)], *pair) for pair in pairwise(edges)]
    whole = sum(one.amount for one in fixed([cost(per)], edges[0], edges[-1]))
    assert abs(sum(one.amount for part in parts for one in part) - whole) < Decimal("1e-6")


def test_the_journal_keeps_it() -> None:
    one = cost(until="2026-11-16")
    assert cost_from(one.as_json(), one.since, one.until) == one
