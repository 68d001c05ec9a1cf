"""For every observation whatever: an answer, the same answer twice, and one that stands until it says so."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.core.shapes import NOW, a_hand, observations, seen, service, services

from poorwill.core.action import Start, Stop
from poorwill.core.decide import decide
from poorwill.core.demand import in_force
from poorwill.core.door import Asked, GateState, Traffic
from poorwill.core.model import (
    Condition,
    Failures,
    HandKind,
    Intent,
    IntentKind,
    Now,
    Observation,
    Outcome,
    Phase,
    Service,
)

T = NOW.mono


def at(mono: float) -> Now:
    return Now(NOW.wall + mono - T, mono, NOW.boot)


@given(services, observations)
def test_any_facts_give_a_decision_with_a_reason(rules: Service, shape: Observation) -> None:
    decision = decide(rules, shape, NOW)
    assert decision.reason.strip()
    assert decision.desired in (0, 1)
    assert decision.look_again_at is None or decision.look_again_at > T


@given(services, observations)
def test_it_is_pure(rules: Service, shape: Observation) -> None:
    before = copy.deepcopy((rules, shape))
    assert decide(rules, shape, NOW) == decide(*copy.deepcopy((rules, shape)), NOW)
    assert (rules, shape) == before


@settings(max_examples=500)
@given(services, observations, st.floats(0, 1, exclude_max=True))
def test_time_alone_changes_nothing_before_it_says_so(
    rules: Service, shape: Observation, share: float
) -> None:
    """The loop sleeps until ``look_again_at`` or until a fact changes: nothing may be due in between."""
    decision = decide(rules, shape, NOW)
    end = decision.look_again_at
    later = T + share * (end - T if end is not None else 100_000.0)
    assume(end is None or later < end)
    again = decide(rules, shape, at(later))
    assert (again.phase, again.desired, again.reason) == (decision.phase, decision.desired, decision.reason)
    assert again.actions == decision.actions


@given(services, observations, st.floats(-1e9, 1e9), st.text(max_size=3))
def test_the_wall_clock_and_the_boot_mean_nothing(
    rules: Service, shape: Observation, wall: float, boot: str
) -> None:
    """Windows and budgets need the wall clock; coming and going by durations must not."""
    shape = replace(shape, standings=())
    assert decide(rules, shape, Now(wall, T, boot)) == decide(rules, shape, NOW)


@given(services, observations)
def test_unknown_is_neither_started_nor_stopped(rules: Service, shape: Observation) -> None:
    decision = decide(rules, shape, NOW)
    if shape.instances[0].condition is Condition.UNKNOWN:
        assert decision.phase is Phase.UNKNOWN
        assert decision.actions == ()
    else:
        assert decision.phase is not Phase.UNKNOWN


@given(services, observations)
def test_it_starts_only_what_is_absent_and_was_not_started(rules: Service, shape: Observation) -> None:
    starts = [action for action in decide(rules, shape, NOW).actions if isinstance(action, Start)]
    if starts:
        (instance,) = shape.instances
        assert instance.condition is Condition.ABSENT
        assert instance.intent is None or (
            instance.intent.kind is IntentKind.START
            and not instance.intent.calling
            and instance.intent.returned_at is None
        )
        assert len(starts) == 1


@given(services, observations)
def test_it_stops_only_behind_a_closed_gate_and_never_work(rules: Service, shape: Observation) -> None:
    (instance,) = shape.instances
    if instance.intent is not None:
        assume(instance.intent.kind is not IntentKind.STOP)  # that stop was decided before
    if any(isinstance(action, Stop) for action in decide(rules, shape, NOW).actions):
        hand = in_force(shape, NOW)
        forced = hand is not None and hand.force
        assert shape.gate.state is GateState.CLOSED or (forced and shape.gate.state is GateState.MOVING)
        traffic = shape.traffic
        unused = not (traffic.active or traffic.busy)
        starting = instance.intent is not None or not instance.ready
        if not (forced or (starting and unused)):
            assert traffic.read_at is not None
            assert traffic.read_at >= shape.gate.since
            assert traffic.busy == 0 or traffic.quiet_since is not None


@given(services, observations)
def test_a_person_s_sleep_is_never_answered_with_a_start(rules: Service, shape: Observation) -> None:
    hand = shape.hand
    if hand is not None and hand.kind is HandKind.SLEEP and (hand.until is None or hand.until > T):
        decision = decide(rules, shape, NOW)
        assert decision.desired == 0
        assert not any(isinstance(action, Start) for action in decision.actions)


def test_a_decision_cannot_be_changed() -> None:
    decision = decide(service(), seen(), NOW)
    with pytest.raises(FrozenInstanceError):
        decision.reason = "another"  # type: ignore[misc]


STOPPING = Intent(IntentKind.STOP, T - 9, "no activity for 1m", returned_at=T - 1)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        pytest.param(seen(), "nobody asks for it", id="asleep"),
        pytest.param(seen(asked=Asked(1, T)), "requests are waiting", id="waking"),
        pytest.param(
            seen(condition="unknown", detail="timed out"),
            "nobody knows whether it runs: timed out",
            id="unknown, with the provider's words",
        ),
        pytest.param(
            seen(condition="unknown"),
            "nobody knows whether it runs: the provider does not answer",
            id="unknown, without",
        ),
        pytest.param(
            seen(asked=Asked(1, T), failures=Failures(2, T, "exit code 3"), outcome=Outcome.FAILED),
            "the last start failed: exit code 3",
            id="failed",
        ),
        pytest.param(
            seen(asked=Asked(1, T), failures=Failures(2, T, "exit code 3"), outcome=Outcome.CRASHED),
            "it crashed: exit code 3",
            id="crashed",
        ),
        pytest.param(
            seen(asked=Asked(1, T), failures=Failures(2, T - 1, "exit code 3"), outcome=Outcome.READY),
            "requests are waiting",
            id="crashed just now: an older failure is not the reason",
        ),
        pytest.param(seen(condition="running", intent=STOPPING), "no activity for 1m", id="stopping"),
        pytest.param(
            seen(condition="running", asked=Asked(1, T), intent=STOPPING),
            "no activity for 1m",
            id="stopping, though somebody came back",
        ),
        pytest.param(
            seen(condition="running", intent=Intent(IntentKind.STOP, T, "x", returned_at=T, error="quota")),
            "the stop failed and is tried again: quota",
            id="a stop that failed",
        ),
        pytest.param(
            seen(condition="running", intent=Intent(IntentKind.STOP, T)),
            "nobody asks for it",
            id="a stop without a reason",
        ),
        pytest.param(
            seen(condition="running", gate="open", hand=a_hand("sleep", by="by hand (ada)")),
            "put to sleep by hand (ada)",
            id="draining",
        ),
    ],
)
def test_reasons(shape: Observation, reason: str) -> None:
    assert decide(service(), shape, NOW).reason == reason


@pytest.mark.parametrize("now", [1070.061, 1070.0609999999997])
def test_a_moment_that_has_come_is_never_left_without_an_answer(now: float) -> None:
    """Differences and sums of floats round differently: idle since 60 s, but 60 s after it is not yet."""
    ready_at, gate = 1010.0609999999998, {"gate_since": 500.0}
    awake = seen("open", condition="running", ready=True, ready_since=ready_at, **gate)
    decision = decide(service(), awake, at(now))
    assert (decision.phase is Phase.AWAKE) == (decision.look_again_at is not None)
    quiet = Traffic(active=1, last_activity=ready_at, read_at=now)
    draining = seen(condition="running", gate_since=500.0, traffic=quiet, hand=a_hand("sleep", at=1.0))
    decision = decide(service(drain=60.0), draining, at(now))
    assert bool(decision.actions) == (decision.look_again_at is None)


def test_it_looks_again_when_the_first_thing_is_due() -> None:
    """A person's word ends in 5 s, the back-off in 2 s."""
    shape = seen(hand=a_hand("wake", at=T - 50, until=T + 5), failures=Failures(3, T - 2, "exit code 3"))
    assert decide(service(), shape, NOW).look_again_at == T + 2
    shape = seen(hand=a_hand("wake", at=T - 50, until=T + 5), failures=Failures(5, T - 2, "exit code 3"))
    assert decide(service(), shape, NOW).look_again_at == T + 5


def test_a_failed_start_that_nobody_wants_any_more_is_looked_at_until_it_is_asleep() -> None:
    shape = seen(failures=Failures(4, T - 3, "exit code 3"), outcome=Outcome.FAILED)
    decision = decide(service(), shape, NOW)
    assert (decision.phase, decision.look_again_at) == (Phase.FAILED, T + 5)
    assert decide(service(), shape, at(T + 5)).phase is Phase.ASLEEP
