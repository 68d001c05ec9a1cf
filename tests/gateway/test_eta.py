"""What is said about a wait stays true, whatever the numbers."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.core.history import Estimate
from poorwill.gateway import eta
from poorwill.gateway.words import words

USUAL = Estimate(median=23.2, p90=40.7, count=12)
numbers = st.floats(allow_nan=True, allow_infinity=True)
durations = st.floats(min_value=0, max_value=1e5)
estimates = st.none() | st.builds(Estimate, median=numbers, p90=numbers, count=st.integers(1, 50))


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("estimate", "elapsed", "expected"),
        [
            (USUAL, 0, 41),
            (USUAL, 12.5, 29),
            (USUAL, 40.6, 1),
            (USUAL, 41, 5),
            (USUAL, 200, 20),
            (USUAL, 1e9, 30),
            (None, 0, 5),
            (None, 100, 10),
            (None, -5, 5),
            (Estimate(1e6, 1e6, 3), 0, 300),
            (Estimate(math.nan, math.nan, 3), math.inf, 5),
        ],
    )
    def test_known_answers(self, estimate: Estimate | None, elapsed: float, expected: int) -> None:
        assert eta.retry_after(estimate, elapsed) == expected

    @given(estimates, numbers)
    def test_always_a_whole_number_in_bounds(self, estimate: Estimate | None, elapsed: float) -> None:
        answer = eta.retry_after(estimate, elapsed)
        assert type(answer) is int
        assert 1 <= answer <= 300


@given(durations, durations, st.lists(durations, min_size=2))
def test_the_bar_never_goes_back_and_never_fills(one: float, other: float, times: list[float]) -> None:
    estimate = Estimate(min(one, other), max(one, other), 20)
    shares = [eta.share(estimate, elapsed) for elapsed in sorted(times)]
    assert all(early <= late + 1e-9 for early, late in itertools.pairwise(shares))
    assert all(0 <= share < 1 for share in shares)


@given(durations)
def test_late_and_its_words_agree(elapsed: float) -> None:
    say = words("en")
    late = eta.state(elapsed, USUAL, False) == "late"
    assert late == (eta.left(say, elapsed, USUAL, False) == say["waking.overdue"])
    assert eta.left(say, elapsed, USUAL, True) == eta.left(say, elapsed, None, False) == ""
