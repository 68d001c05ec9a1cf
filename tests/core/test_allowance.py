"""How often requests may wake a service, told in moments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.core.allowance import MOST, Allowance, Rate, Woken


def allowance(*woken: tuple[float, str], total: Rate | None = None, each: Rate | None = None) -> Allowance:
    return Allowance(total, each, tuple(Woken(at, client) for at, client in woken))


def test_nothing_is_limited_unless_somebody_says_so() -> None:
    free = allowance(*((float(at), "a") for at in range(100)))
    assert free.total_until(100.0) is None
    assert free.client_until("a", 100.0) is None
    assert (free.span, free.used(100.0)) == (0.0, 0)


@pytest.mark.parametrize(
    ("wall", "until"), [(100.0, 160.0), (130.0, 160.0), (159.9, 160.0), (160.0, None), (500.0, None)]
)
def test_the_limit_for_all_ends_when_the_oldest_wake_is_long_ago(wall: float, until: float | None) -> None:
    assert allowance((100.0, "a"), (101.0, "b"), total=Rate(2, 60)).total_until(max(wall, 101.0)) == until


def test_each_client_has_its_own() -> None:
    known = allowance((10.0, "a"), (20.0, "a"), (30.0, "b"), each=Rate(2, 60))
    assert known.client_until("a", 40.0) == 70.0
    assert known.client_until("b", 40.0) is None
    assert known.client_until("c", 40.0) is None
    assert known.total_until(40.0) is None


def test_a_clock_that_was_set_back_locks_nobody_out_for_long() -> None:
    known = allowance((1_000_000.0, "a"), total=Rate(1, 60))
    assert known.total_until(500.0) == 560.0


def test_what_is_too_long_ago_is_forgotten() -> None:
    known = allowance((0.0, "a"), (50.0, "b"), total=Rate(5, 60), each=Rate(1, 10))
    assert known.plus(Woken(70.0, "c")) == (Woken(50.0, "b"), Woken(70.0, "c"))
    crowd = allowance(*((float(at), "a") for at in range(MOST)), total=Rate(MOST, 86_400))
    assert len(crowd.plus(Woken(5000.0))) == MOST


@given(st.integers(1, 5), st.floats(1, 1000), st.lists(st.floats(0.1, 500), max_size=40))
def test_no_span_ever_holds_more_than_is_allowed(count: int, seconds: float, pauses: list[float]) -> None:
    """Somebody tries again and again; what is let through is counted from outside."""
    wall, known, let = 1000.0, Allowance(Rate(count, seconds)), []
    for pause in pauses:
        wall += pause
        until = known.total_until(wall)
        assert until is None or until > wall
        if until is None:
            let.append(wall)
            known = Allowance(known.total, None, known.plus(Woken(wall)))
    for first in let:
        assert sum(first <= at < first + seconds for at in let) <= count
