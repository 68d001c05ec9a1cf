"""Whole days of load, second by second: how soon a policy acts, and that it does not go up and down."""

from __future__ import annotations

from math import pi, sin

import pytest
from tests.core.loads import inward, out
from tests.core.replay import Story, World

from poorwill.core.metric import METRICS
from poorwill.core.scale import ScalePolicy
from poorwill.core.target_mode import Target

TARGET = ScalePolicy(0, 20, 8, target=Target(METRICS["concurrency"], 5.6))
RULES = ScalePolicy(
    0,
    8,
    8,
    scale_out=(out(threshold=0.5, duration=30.0, window=10.0),),
    scale_in=(inward("concurrency", 2.0, duration=120.0, window=10.0, per_instance=True),),
)


def first_at_least(story: Story, count: int) -> float:
    return next(change.at for change in story.changes if change.after >= count)


def test_a_step_from_nothing_to_300_a_second() -> None:
    """60 at work at a time need 11 instances of 5.6."""
    story = World(TARGET, lambda now: 300.0 if now > 30 else 0.0).play(90)
    assert story.counts[:29] == [0] * 29
    assert first_at_least(story, 11) <= 31.1  # within the second that the first instance takes to start
    assert story.p95(30, 34) < 2.0
    assert story.p95(34, 90) < 0.4
    assert story.reversals == 0


def test_a_step_on_top_of_a_little() -> None:
    story = World(TARGET, lambda now: 300.0 if now > 30 else 20.0).play(90, 1)
    assert first_at_least(story, 11) <= 33
    assert story.p95(40, 90) < 0.4
    assert story.reversals == 0


@pytest.mark.parametrize(("rate", "count"), [(27, 1), (50, 2)])
@pytest.mark.parametrize("seed", [1, 2])
def test_noise_moves_nothing_back_and_forth(rate: int, count: int, seed: int) -> None:
    """27 a second are just under what one instance should have, 50 just under two."""
    story = World(TARGET, lambda _now: float(rate), seed=seed).play(300, count)
    assert story.reversals == 0
    assert max(story.counts) <= count + 1


def test_a_tide_is_followed_once_up_and_once_down() -> None:
    story = World(TARGET, lambda now: 100 + 90 * sin(now / 600 * 2 * pi), start=0.5).play(600, 4)
    assert story.reversals <= 2
    assert max(story.counts) >= 7
    assert min(story.counts[450:]) <= 3
    assert story.p95(5, 600) < 0.5


def test_after_a_peak_it_comes_down_in_a_few_minutes() -> None:
    story = World(TARGET, lambda now: 200.0 if now < 60 else 20.0).play(240, 8)
    assert story.counts[-1] <= 2
    assert min(story.counts[60:100]) >= 8  # no hurry


def test_a_rule_acts_when_its_duration_is_over() -> None:
    """The mean of ten seconds crosses half a second soon after one instance has too much to do."""
    story = World(RULES, lambda now: 60.0 if now > 30 else 10.0).play(200, 1)
    change = story.changes[0]
    crossed = change.at - 30.0
    assert 31.0 < crossed < 36.0
    assert "above 500ms for 30s" in change.reason
    assert story.reversals == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_noise_about_a_threshold_of_a_rule(seed: int) -> None:
    story = World(RULES, lambda now: 38.0 + 6 * sin(now / 7), seed=seed).play(400, 1)
    assert story.reversals <= 1
