"""How many instances a target asks for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.loads import seconds

from poorwill.core.load import Load
from poorwill.core.metric import METRICS
from poorwill.core.scale_rule import GAP
from poorwill.core.target_mode import Aim, Target, aim

FOUR = Target(METRICS["concurrency"], 4.0)


def steady(*spells: tuple[int, int]) -> Load:
    """So many requests open for so many seconds, and so on."""
    return seconds([{"open": open_} for open_, long in spells for _ in range(long)])


def asked(seen: Load, count: int, *, target: Target = FOUR, changed_at: float = -1000.0, **more: Any) -> Aim:
    return aim(target, seen, count, changed_at, more.get("now", seen.readings[-1].at))


@pytest.mark.parametrize(("open_", "desired"), [(0, 2), (8, 2), (9, 3), (12, 3), (13, 4)])
def test_as_many_as_the_stable_average_needs(open_: int, desired: int) -> None:
    found = asked(steady((8, 30), (open_, 60)), 2, changed_at=50.0)
    assert (found.desired, found.panicking) == (desired, open_ > 12)


def test_a_sudden_rise_is_answered_after_the_panic_window_and_not_after_the_stable_one() -> None:
    rise = steady((4, 60), (16, 6))
    found = asked(rise, 1)
    assert (found.desired, found.panicking, found.panic) == (4, True, 16.0)
    assert found.stable is not None
    assert found.stable < 6
    assert asked(steady((4, 60), (7, 6)), 1).panicking  # two are twice one
    assert asked(steady((8, 60), (15, 6)), 2).panicking
    assert not asked(steady((8, 60), (12, 6)), 2).panicking


@pytest.mark.parametrize("late", [0.0, 5.0, 7.5, 12.5, GAP])
def test_short_windows_and_a_reading_that_is_late(late: float) -> None:
    short, calm = Target(METRICS["concurrency"], 4.0, stable=6.0, panic=1.0), steady((8, 30))
    assert asked(calm, 2, target=short, now=calm.readings[-1].at + late).desired == 2


def test_fewer_only_after_they_would_have_been_enough_for_long() -> None:
    fall = steady((16, 60), (4, 200))
    at = {now: asked(Load(fall.readings[:now]), 4, changed_at=30.0).desired for now in range(61, 260)}
    down = min(now for now, desired in at.items() if desired < 4)
    assert 120 <= down <= 180
    assert set(at.values()) <= {4, 3, 2}


def test_never_less_than_the_half_in_one_step_and_never_none() -> None:
    assert asked(steady((0, 300)), 8).desired == 4
    assert asked(steady((0, 300)), 3).desired == 1
    assert asked(steady((0, 300)), 1).desired == 1
    slower = Target(METRICS["concurrency"], 4.0, down_rate=1.25)
    assert asked(steady((0, 300)), 8, target=slower).desired == 6


def test_no_going_down_soon_after_a_change_or_in_panic() -> None:
    calm = steady((0, 300))
    assert asked(calm, 4, changed_at=240.5).desired == 4
    assert asked(calm, 4, changed_at=240.5).lower_at == 300.5
    assert asked(calm, 4, changed_at=240.0).desired == 2
    burst = steady((0, 250), (16, 6), (0, 44))
    assert asked(burst, 4, changed_at=0.0).desired == 3  # two would have panicked


def test_the_margin_keeps_a_number_that_is_only_just_enough() -> None:
    assert asked(steady((4, 300)), 2).desired == 2
    assert asked(steady((3, 300)), 2).desired == 1


def test_a_cooldown_is_more_patience() -> None:
    patient = Target(METRICS["concurrency"], 4.0, cooldown=300.0)
    assert asked(steady((16, 60), (0, 299)), 4, target=patient).desired == 4
    assert asked(steady((16, 60), (0, 500)), 4, target=patient).desired == 2


def test_after_a_restart_it_goes_up_at_once_and_down_only_when_it_knows() -> None:
    assert asked(steady((40, 1)), 2).desired == 10
    assert asked(steady((0, 59)), 4).desired == 4
    assert asked(steady((0, 60)), 4).desired == 2
    assert aim(FOUR, Load(), 3, 0.0, 100.0).desired == 3


def test_readings_that_stopped_coming_change_nothing() -> None:
    found = asked(steady((40, 100)), 2, now=100.1 + GAP)
    assert found.desired == 2
    assert "nothing has been measured" in found.trouble


def test_requests_a_second() -> None:
    ten = Target(METRICS["request_rate"], 10.0)
    assert asked(seconds([{"begun": 35}] * 60), 1, target=ten).desired == 4


def test_not_more_than_the_rate_at_a_time() -> None:
    slow = Target(METRICS["concurrency"], 4.0, up_rate=1.5)
    assert asked(steady((100, 60)), 2, target=slow).desired == 3
    assert asked(steady((100, 60)), 1, target=slow).desired == 2  # one more is always allowed


@given(st.lists(st.integers(0, 40), min_size=1, max_size=130), st.integers(1, 12), st.integers(0, 130))
def test_laws(opens: list[int], count: int, changed_at: int) -> None:
    found = asked(seconds([{"open": open_} for open_ in opens]), count, changed_at=float(changed_at))
    assert found.stable is not None
    assert found.panic is not None
    assert found.desired >= max(1, count // 2)
    assert found.desired * 4 >= found.stable or found.desired == count
    if found.panicking or min(len(opens), len(opens) - changed_at) < 60:
        assert found.desired >= count
    if found.desired < count:
        assert found.lower_at is not None
        assert not asked(seconds([{"open": one} for one in opens]), found.desired).panicking
