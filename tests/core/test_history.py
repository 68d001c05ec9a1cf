"""Estimates must be true as the waiting page words them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.core.history import WINDOW, Estimate, estimate

durations = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=3 * WINDOW)


def test_no_history_is_no_estimate() -> None:
    assert estimate([]) is None


@pytest.mark.parametrize(
    ("wakes", "expected"),
    [
        ([23.0], Estimate(23.0, 23.0, 1)),
        ([20.0, 30.0], Estimate(25.0, 30.0, 2)),
        ([30.0, 10.0, 20.0], Estimate(20.0, 30.0, 3)),
        ([float(n) for n in range(1, 11)], Estimate(5.5, 9.0, 10)),
        ([float(n) for n in range(1, 12)], Estimate(6.0, 10.0, 11)),
        ([0.0], Estimate(0.0, 0.0, 1)),
    ],
)
def test_known_answers(wakes: list[float], expected: Estimate) -> None:
    assert estimate(wakes) == expected


def test_only_the_newest_count() -> None:
    assert estimate([1000.0] * 200 + [5.0] * WINDOW) == Estimate(5.0, 5.0, WINDOW)


def test_what_cannot_be_a_duration_is_left_out() -> None:
    assert estimate([math.nan, -3.0, math.inf, 7.0]) == Estimate(7.0, 7.0, 1)
    assert estimate([math.nan, -1.0]) is None


@given(durations)
def test_nine_of_ten_wakes_took_at_most_p90(wakes: list[float]) -> None:
    found = estimate(wakes)
    assert found is not None
    newest = wakes[-WINDOW:]
    assert 10 * sum(seconds <= found.p90 for seconds in newest) >= 9 * len(newest)
    assert min(newest) <= found.median <= found.p90 <= max(newest)
    assert found.p90 in newest
    assert found.count == len(newest)


@given(durations)
def test_the_order_within_the_window_does_not_matter(wakes: list[float]) -> None:
    newest = wakes[-WINDOW:]
    assert estimate(newest) == estimate(sorted(newest)) == estimate(newest[::-1])
