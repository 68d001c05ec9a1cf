"""How many instances the load asks for, all rules together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.loads import inward, load, out, reading, seconds

from poorwill.core.load import Load
from poorwill.core.metric import METRICS
from poorwill.core.scale import Scale, Scaled, ScalePolicy, scaled
from poorwill.core.scale_rule import Deed, ScaleAction, ScaleRule
from poorwill.core.target_mode import Target

SLOW: dict[str, Any] = {"latency": 4.0, "ended": 2}
QUICK: dict[str, Any] = {"latency": 0.5, "ended": 2}
IDLE: dict[str, Any] = {}

ALL = ScaleAction(Deed.REMOVE_ALL, 0)
TARGET = Target(METRICS["concurrency"], 4.0)


def policy(*rules: ScaleRule, least: int = 0, most: int = 5, **keys: Any) -> ScalePolicy:
    ups, downs = tuple(rule for rule in rules if rule.out), tuple(rule for rule in rules if not rule.out)
    return ScalePolicy(least, most, scale_out=ups, scale_in=downs, **keys)


def asked(
    given_: ScalePolicy, seen: Load, count: int, *, waiting: int = 0, now: float | None = None
) -> Scaled:
    at = now if now is not None else seen.readings[-1].at if seen.readings else 0.0
    return scaled(given_, seen, Scale(count, -1000.0, "as it was"), waiting, at)


# --- from nothing -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "waiting", "desired"),
    [
        ({"target": TARGET}, 17, 5),
        ({"target": TARGET}, 16, 4),
        ({"target": TARGET, "slots": 8}, 9, 3),
        ({"slots": 8}, 17, 3),
        ({}, 17, 1),
        ({"slots": 8}, 0, 0),
        ({"slots": 8, "least": 2}, 0, 2),
        ({"slots": 8, "least": 2}, 1, 2),
        ({"slots": 1}, 5000, 5),
        ({"target": Target(METRICS["request_rate"], 4.0), "slots": 8}, 9, 2),
    ],
)
def test_a_herd_gets_the_right_number_at_once(keys: dict[str, Any], waiting: int, desired: int) -> None:
    assert asked(policy(**keys), load(), 0, waiting=waiting).desired == desired


def test_a_herd_that_grows_while_the_first_instance_starts_gets_more() -> None:
    starting = load(reading(1, held=300))
    found = asked(policy(slots=8, most=50), starting, 1, waiting=300)
    assert (found.desired, found.reason) == (38, "many requests wait: 1 → 38 instances")


def test_one_request_that_waits_asks_for_nothing_that_needs_a_reason() -> None:
    assert asked(policy(slots=8), load(), 0, waiting=1) == Scaled(1)


def test_those_who_wait_while_others_are_served_are_left_to_the_rules() -> None:
    serving = load(reading(1, open=8, queued=300))
    assert asked(policy(slots=8, most=50), serving, 1, waiting=300).desired == 1


# --- rules --------------------------------------------------------------------------------------


def test_scale_out_wins_over_scale_in() -> None:
    idle = inward("cpu", 50.0, action=ALL)
    both = seconds([{**SLOW, "gauges": {"cpu": 1.0}}] * 20)
    found = asked(policy(out(), idle), both, 2)
    assert found.desired == 3
    assert found.reason == "response_latency above 3s for 10s: 2 → 3 instances"
    assert asked(policy(out(), idle), both, 5).desired == 5
    assert asked(policy(out(duration=60.0), idle), both, 2).desired == 2  # not yet, but over its threshold


def test_of_several_rules_the_one_that_wants_most() -> None:
    two = out(action=ScaleAction(Deed.ADD, 2))
    four = out(threshold=2.0, action=ScaleAction(Deed.SET, 4))
    assert asked(policy(out(), two, four), seconds([SLOW] * 20), 1).desired == 4
    assert asked(policy(out(), two, four), seconds([SLOW] * 20), 3).desired == 5
    assert asked(policy(four), seconds([SLOW] * 20), 5).desired == 5


def test_between_min_and_max() -> None:
    up, down = out(action=ScaleAction(Deed.ADD, 9)), inward(action=ALL)
    assert asked(policy(up, down), seconds([SLOW] * 20), 2).desired == 5
    assert asked(policy(up, down, least=2), seconds([IDLE] * 20), 4).desired == 2
    assert asked(policy(up, down), seconds([IDLE] * 20), 4).desired == 0
    assert asked(policy(most=2), seconds([QUICK] * 20), 4).desired == 2  # a smaller policy was read


def test_the_reason_stays_while_the_number_does() -> None:
    assert asked(policy(out()), seconds([SLOW] * 5), 2).reason == "as it was"


def test_until_is_when_time_alone_makes_a_rule_fire() -> None:
    found = asked(policy(out(duration=30.0), inward()), seconds([SLOW] * 5), 1, now=5.5)
    assert found.until == 31.0
    at_last = scaled(policy(out(duration=30.0)), seconds([SLOW] * 31), Scale(1, -1000.0), 0, 31.0)
    assert at_last.desired == 2


def test_fewer_leave_what_the_requests_at_hand_need() -> None:
    down = inward("cpu", 50.0, action=ALL)
    calm = {"gauges": {"cpu": 1.0}}
    assert asked(policy(down, slots=4), seconds([{**calm, "open": 9}] * 20), 5).desired == 3
    assert asked(policy(down), seconds([{**calm, "open": 9}] * 20), 5).desired == 1
    assert asked(policy(down, slots=4), seconds([calm] * 20), 5).desired == 0
    lately = [calm] * 12 + [{**calm, "open": 9}] * 3 + [calm] * 5
    assert asked(policy(down, slots=4), seconds(lately), 5).desired == 3
    assert asked(policy(down, slots=4), seconds([{**calm, "queued": 1}] * 20), 5).desired == 5
    assert asked(policy(down, slots=4), seconds([calm] * 20), 5, waiting=1).desired == 5


def test_none_goes_that_would_only_come_again() -> None:
    up = out("concurrency", 6.0, per_instance=True)
    down = inward("concurrency", 4.0, per_instance=True)
    assert asked(policy(up, down), seconds([{"open": 7}] * 20), 2).desired == 2
    assert asked(policy(up, down), seconds([{"open": 6}] * 20), 2).desired == 1
    half = inward("concurrency", 4.0, per_instance=True, action=ScaleAction(Deed.REMOVE, 3))
    assert asked(policy(up, half), seconds([{"open": 16}] * 20), 5).desired == 3


def test_a_metric_that_cannot_be_read_holds_what_is_there() -> None:
    rules = (out("gpu_memory", 20e9), inward("request_count", 0, action=ALL))
    seen = Load(seconds([IDLE] * 20).readings, {"gpu_memory": "nvidia-smi is gone"})
    found = asked(policy(*rules), seen, 3)
    assert found.desired == 3
    assert found.reason == "stays at 3 instances: gpu_memory cannot be read: nvidia-smi is gone"
    fine = out("concurrency", 5.0)
    busy = Load(seconds([{"open": 9}] * 20).readings, {"gpu_memory": "nvidia-smi is gone"})
    assert asked(policy(*rules, fine), busy, 3).desired == 4  # what can be read may still ask for more


def test_after_a_restart_nothing_changes_until_something_was_seen_for_long_enough() -> None:
    rules = policy(out(), inward(action=ALL))
    assert scaled(rules, load(), Scale(3, 100.0), 0, 100.0).desired == 3
    assert scaled(rules, seconds([IDLE] * 9, 101.0), Scale(3, 100.0), 0, 109.0).desired == 3
    assert scaled(rules, seconds([IDLE] * 11, 101.0), Scale(3, 100.0), 0, 111.0).desired == 0


# --- target -------------------------------------------------------------------------------------


def test_the_target_says_why() -> None:
    found = asked(policy(target=TARGET), seconds([{"open": 9}] * 60), 2)
    assert (found.desired, found.reason) == (
        3,
        "concurrency over 1m more than 4 per instance: 2 → 3 instances",
    )
    panic = asked(policy(target=TARGET), seconds([{"open": 1}] * 60 + [{"open": 17}] * 6), 1)
    assert (panic.desired, panic.reason) == (
        5,
        "concurrency over 6s more than 4 per instance: 1 → 5 instances",
    )


def test_the_target_leaves_the_last_one_and_goes_no_lower_than_min() -> None:
    assert asked(policy(target=TARGET), seconds([IDLE] * 300), 1).desired == 1
    assert asked(policy(target=TARGET, least=3), seconds([IDLE] * 300), 4).desired == 3


# --- laws ---------------------------------------------------------------------------------------

SECONDS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"open": st.integers(0, 20), "queued": st.integers(0, 3), "begun": st.integers(0, 5)},
        optional={"latency": st.floats(0.0, 9.0), "held": st.integers(0, 5)},
    ),
)
POLICIES = st.sampled_from(
    [
        policy(target=TARGET, slots=8),
        policy(target=TARGET, least=2),
        policy(out(), inward(), inward("request_count", 0, action=ALL), slots=4),
        policy(out("queue_length", 0), inward("concurrency", 2.0, per_instance=True), least=1),
        policy(out(percentile=95.0, cooldown=3.0), inward(action=ScaleAction(Deed.SET, 0)), slots=1),
    ]
)


@given(POLICIES, st.lists(SECONDS, max_size=90), st.integers(0, 6), st.integers(0, 60), st.integers(0, 95))
def test_laws(
    given_: ScalePolicy, values: list[dict[str, Any] | None], count: int, waiting: int, changed: int
) -> None:
    seen, now = seconds(values), len(values) + 0.5
    scale = Scale(count, float(changed), "as it was")
    found = scaled(given_, seen, scale, waiting, now)
    assert found == scaled(given_, seen, scale, waiting, now)
    assert given_.min_instances <= found.desired <= given_.max_instances
    assert found.until is None or found.until > now
    newest = seen.readings[-1] if seen.readings else reading(0)
    at_hand = newest.open + newest.queued + newest.held + waiting
    if at_hand and count:
        assert found.desired >= 1
    if given_.slots and count <= given_.max_instances and found.desired < count:
        assert found.desired * given_.slots >= at_hand
    if found.desired != count and count:
        assert "→" in found.reason or count > given_.max_instances or count < given_.min_instances
