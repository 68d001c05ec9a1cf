"""Several instances of one service: which are wanted, who gets visitors, and in which order they go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.core import fleet
from poorwill.core.action import Action, CloseGate, Conclude, Cordon, Join, Leave, OpenGate, Start, Stop
from poorwill.core.door import Gate, GateState, Member, Membership, Traffic
from poorwill.core.model import (
    Condition,
    Demand,
    Failures,
    Hand,
    HandKind,
    Instance,
    Intent,
    IntentKind,
    Now,
    Observation,
    Outcome,
    Phase,
    Service,
)
from poorwill.core.scale import ScalePolicy

T = 1_000.0
NOW = Now(1_700_000_000.0, T, "boot")
SERVICE = Service("api", idle_after=60.0, drain=10.0, scale=ScalePolicy(0, 4))
QUIET = Traffic(quiet_since=T - 50, read_at=T - 0.1, previous_at=T - 0.3)
AT_WORK = Traffic(active=1, last_activity=T - 0.1, read_at=T - 0.1, previous_at=T - 0.3)


def one(number: int, state: str, **more: Any) -> Instance:
    """``up``: takes visitors; ``out``: could, and gets none; ``new``: starts; ``off``: is not there."""
    known: dict[str, Any] = {"id": f"api-{number}", "traffic": QUIET}
    up = {"condition": Condition.RUNNING, "ready": True, "ready_since": T - 90, "seen_since": T - 99}
    match state:
        case "up":
            known |= up | {"outcome": Outcome.READY, "member": Member(Membership.IN, T - 80)}
        case "out":
            known |= up | {"outcome": Outcome.READY, "member": Member(Membership.OUT, T - 20)}
        case "new":
            start = Intent(IntentKind.START, T - 1, "asked", returned_at=T - 0.5)
            known |= {"condition": Condition.STARTING, "intent": start, "seen_since": T - 0.5}
        case "off":
            known |= {"condition": Condition.ABSENT}
        case "lost":
            known |= {"condition": Condition.UNKNOWN, "member": Member(Membership.IN, T - 80)}
        case "going":
            stop = Intent(IntentKind.STOP, T - 1, "too many", calling=True, attempts=1)
            known |= {"condition": Condition.RUNNING, "intent": stop, "outcome": Outcome.READY}
    return Instance(**(known | more))


def seen(*instances: Instance, gate: str = "open", **more: Any) -> Observation:
    return Observation(instances, Gate(GateState(gate), T - 30), **more)


def steps(shape: Observation, desired: int, service: Service = SERVICE) -> list[Action]:
    return list(fleet.steps(service, shape, Demand(desired, "because"), NOW)[0])


def phases(shape: Observation, desired: int) -> list[str]:
    found = fleet.phases(SERVICE, shape, Demand(desired, "because"), NOW)
    return [str(phase) for phase in found.values()]


# --- who is wanted ------------------------------------------------------------------------------


def test_a_burst_starts_as_many_as_are_wanted_at_once() -> None:
    shape = seen(one(1, "off"), one(2, "off"), one(3, "off"), gate="closed")
    assert steps(shape, 3) == [Start(f"api-{number}", "because") for number in (1, 2, 3)]
    assert phases(shape, 2) == ["waking", "waking", "asleep"]


def test_more_start_beside_those_that_work() -> None:
    shape = seen(one(1, "up", traffic=AT_WORK), one(2, "off"), one(3, "off"))
    assert steps(shape, 2) == [Start("api-2", "because")]
    assert phases(shape, 2) == ["awake", "waking", "asleep"]


def test_the_one_that_can_take_visitors_is_kept_and_the_one_that_only_starts_goes() -> None:
    shape = seen(one(1, "new"), one(2, "up"))
    assert steps(shape, 1) == [Stop("api-1", "because")]


def test_what_nobody_can_tell_about_counts() -> None:
    shape = seen(one(1, "lost"), one(2, "off"))
    assert steps(shape, 1) == []
    assert steps(shape, 2) == [Start("api-2", "because")]


def test_what_others_started_counts_and_is_let_alone() -> None:
    shape = seen(one(1, "off"), one(2, "up", foreign=True))
    assert steps(shape, 1) == []


def test_while_one_is_being_stopped_another_may_take_its_place() -> None:
    shape = seen(one(1, "going"), one(2, "off"), gate="closed")
    assert steps(shape, 1) == [Start("api-2", "because")]
    assert phases(shape, 1) == ["stopping", "waking"]


def test_a_start_that_failed_waits_and_does_not_hold_up_the_others() -> None:
    failed = {"outcome": Outcome.FAILED, "failures": Failures(5, T - 1, "no capacity")}
    shape = seen(one(1, "off"), one(2, "off", **failed), gate="closed")
    assert steps(shape, 2) == [Start("api-1", "because")]
    assert phases(shape, 2) == ["waking", "failed"]
    assert fleet.phase(dict(enumerate(map(Phase, phases(shape, 2))))) is Phase.WAKING  # type: ignore[arg-type]


def test_fewer_that_are_allowed_are_not_exceeded_while_one_goes() -> None:
    shape = seen(one(1, "going"), one(2, "up"), one(3, "off"))
    few = replace(SERVICE, scale=ScalePolicy(0, 2))
    assert steps(shape, 2, few) == []
    assert steps(shape, 2) == [Start("api-3", "because")]


# --- coming -------------------------------------------------------------------------------------


def test_the_first_that_is_ready_joins_and_opens_the_gate() -> None:
    shape = seen(one(1, "new", ready=True, intent=None), one(2, "new"), gate="closed")
    shape = replace(shape, instances=(replace(one(1, "out"), id="api-1"), shape.instances[1]))
    assert steps(shape, 2) == [Join("api-1"), OpenGate()]


def test_the_next_only_joins() -> None:
    assert steps(seen(one(1, "up"), one(2, "out")), 2) == [Join("api-2")]
    assert steps(seen(one(1, "up"), one(2, "out"), gate="moving"), 2) == [Join("api-2")]


def test_a_move_that_is_under_way_is_waited_for() -> None:
    moving = Member(Membership.MOVING, T - 0.01)
    assert steps(seen(one(1, "up"), one(2, "out", member=moving)), 2) == []
    assert steps(seen(one(1, "up"), one(2, "up", member=moving)), 1) == []


def test_the_gate_opens_only_when_those_who_go_are_out_of_the_way() -> None:
    shape = seen(one(1, "up"), one(2, "up", traffic=AT_WORK), gate="closed")
    assert steps(shape, 1) == [Leave("api-2")]
    out = seen(one(1, "up"), one(2, "out", traffic=AT_WORK), gate="closed")
    assert steps(out, 1) == [OpenGate()]


# --- going --------------------------------------------------------------------------------------


def test_it_leaves_then_ends_its_work_then_stops() -> None:
    working = one(2, "up", traffic=AT_WORK)
    assert steps(seen(one(1, "up"), working), 1) == [Leave("api-2")]
    assert steps(seen(one(1, "up"), one(2, "out", traffic=AT_WORK)), 1) == []
    assert phases(seen(one(1, "up"), one(2, "out", traffic=AT_WORK)), 1) == ["awake", "draining"]
    assert steps(seen(one(1, "up"), one(2, "out")), 1) == [Stop("api-2", "because")]


def test_the_last_ones_go_through_the_gate() -> None:
    assert steps(seen(one(1, "up"), one(2, "up")), 0) == [CloseGate()]
    shut = seen(one(1, "up"), one(2, "up", traffic=AT_WORK), gate="closed")
    assert steps(shut, 0) == [Stop("api-1", "because")]


def test_one_that_is_wanted_again_comes_back() -> None:
    assert steps(seen(one(1, "up"), one(2, "out", traffic=AT_WORK)), 2) == [Join("api-2")]
    cordoned = one(2, "up", member=Member(Membership.CORDONED, T - 5))
    assert steps(seen(one(1, "up"), cordoned), 2) == [Join("api-2")]


def test_one_that_crashed_is_taken_out_and_the_others_go_on() -> None:
    crashed = one(2, "off", outcome=Outcome.READY, member=Member(Membership.IN, T - 80), detail="exit code 3")
    assert steps(seen(one(1, "up"), crashed), 2) == [
        Leave("api-2"),
        Conclude("api-2", Outcome.CRASHED, "exit code 3"),
    ]
    assert CloseGate() in steps(seen(replace(crashed, id="api-1"), one(2, "off")), 2)


def test_one_whose_place_began_a_new_life_of_it_is_out_until_it_is_ready() -> None:
    again = one(2, "up", ready=False, ready_since=None)
    assert steps(seen(one(1, "up"), again), 2) == [Leave("api-2")]
    assert steps(seen(one(1, "off"), again), 1) == [], "nobody else is there: connections are tried again"


# --- sessions -----------------------------------------------------------------------------------

STICKY = replace(SERVICE, sticky=True)


@pytest.mark.parametrize(
    ("member", "last", "expected"),
    [
        (Membership.IN, None, [Cordon("api-2")]),
        (Membership.CORDONED, T - 59, []),
        (Membership.CORDONED, T - 61, [Leave("api-2")]),
        (Membership.CORDONED, None, [Leave("api-2")]),
    ],
)
def test_sessions_end_before_their_instance_goes(
    member: Membership, last: float | None, expected: list[Action]
) -> None:
    going = one(2, "up", member=Member(member, T - 70), traffic=replace(QUIET, last_activity=last))
    shape = seen(one(1, "up"), going)
    assert steps(shape, 1, STICKY) == expected
    if not expected:
        assert fleet.steps(STICKY, shape, Demand(1, ""), NOW)[1] == T + 1


def test_a_person_in_a_hurry_cordons_nothing() -> None:
    shape = seen(one(1, "up"), one(2, "up"), hand=Hand(HandKind.SLEEP, T - 1, force=True))
    assert Cordon("api-2") not in steps(shape, 1, STICKY)


# --- whatever is seen ---------------------------------------------------------------------------

members = st.builds(Member, st.sampled_from(Membership), st.sampled_from([0.0, T - 60, T - 1]))
states = st.sampled_from(["up", "out", "new", "off", "lost", "going"])
instances = st.builds(lambda state, member: one(1, state, member=member), states, members)
fleets = st.lists(instances, min_size=2, max_size=4).map(
    lambda found: tuple(replace(one, id=f"api-{number}") for number, one in enumerate(found, 1))
)


@given(fleets, st.sampled_from(["open", "closed", "moving"]), st.integers(0, 4), st.booleans())
def test_laws(found: tuple[Instance, ...], gate: str, desired: int, sticky: bool) -> None:
    shape, service = seen(*found, gate=gate), replace(SERVICE, sticky=sticky)
    actions = steps(shape, min(desired, len(found)), service)
    by_id = {instance.id: instance for instance in found}
    started = [by_id[action.instance] for action in actions if isinstance(action, Start)]
    stopped = [by_id[action.instance] for action in actions if isinstance(action, Stop)]
    assert all(instance.condition is Condition.ABSENT for instance in started), "no double start"
    there = sum(instance.condition is not Condition.ABSENT and instance.intent is None for instance in found)
    starting = sum(one.intent is not None and one.intent.kind is IntentKind.START for one in found)
    assert not started or there + starting + len(started) <= desired, "never more than are wanted"
    for instance in stopped:
        reachable = gate != "closed" and instance.member.state is not Membership.OUT
        again = instance.intent is not None and instance.intent.kind is IntentKind.STOP
        assert again or not reachable, "nothing is stopped that visitors are sent to"
        assert instance.condition is not Condition.UNKNOWN
    if OpenGate() in actions:
        joined = {action.instance for action in actions if isinstance(action, Join)}
        ready = [one for one in found if one.id in joined or one.member.state is Membership.IN]
        assert any(one.ready or one.condition is Condition.UNKNOWN for one in ready)
        assert all(one.ready or one.condition is Condition.UNKNOWN for one in ready), "only to who can answer"
    if CloseGate() in actions:
        kept = [
            one for one in found if one.ready and one.member.state is Membership.IN and one.intent is None
        ]
        assert not desired or not kept, "the gate stays open while somebody can take visitors"
