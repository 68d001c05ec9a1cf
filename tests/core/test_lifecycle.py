"""The table in the docstring of ``core.lifecycle``, row by row."""

from __future__ import annotations

import pytest
from tests.core.shapes import PLACE, seen
from tests.core.table import (
    DEMANDS,
    GATES,
    PRESENT,
    QUIET,
    START,
    STOP,
    UNWANTED,
    WANTED,
    T,
    done,
    look,
    started,
    stopped,
)

from poorwill.core.action import CloseGate, OpenGate, Stop
from poorwill.core.door import GateState, Traffic
from poorwill.core.model import Demand, Failures, Intent, IntentKind, Outcome, Phase

# --- the table --------------------------------------------------------------------------------------


@pytest.mark.parametrize("demand", DEMANDS, ids=["wanted", "unwanted"])
@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("intent", [None, started(), stopped()], ids=["none", "start", "stop"])
def test_row_unknown(intent: Intent | None, gate: GateState, demand: Demand) -> None:
    shape = seen(gate, condition="unknown", intent=intent, outcome=Outcome.READY)
    assert look(shape, demand) == (Phase.UNKNOWN, (), None)


@pytest.mark.parametrize("demand", DEMANDS, ids=["wanted", "unwanted"])
@pytest.mark.parametrize("gate", GATES)
class TestRowStop:
    """any | stop | any | any | stopping | absent: conclude; else call again in time"""

    def test_absent(self, gate: GateState, demand: Demand) -> None:
        assert look(seen(gate, intent=stopped()), demand) == (Phase.STOPPING, (done("stopped"),), None)

    @pytest.mark.parametrize("condition", [*PRESENT, "stopping"])
    def test_present(self, condition: str, gate: GateState, demand: Demand) -> None:
        shape = seen(gate, condition=condition, intent=stopped(returned_at=T - 1))
        assert look(shape, demand) == (Phase.STOPPING, (Stop(PLACE, "idle"),), None)
        shape = seen(gate, condition=condition, intent=stopped(returned_at=T - 0.5))
        assert look(shape, demand) == (Phase.STOPPING, (), T + 0.5)

    @pytest.mark.parametrize("condition", ["absent", *PRESENT, "stopping"])
    def test_the_call_is_under_way(self, condition: str, gate: GateState, demand: Demand) -> None:
        shape = seen(gate, condition=condition, intent=stopped(calling=True))
        assert look(shape, demand) == (Phase.STOPPING, (), None)


@pytest.mark.parametrize("demand", DEMANDS, ids=["wanted", "unwanted"])
def test_row_absent_start(demand: Demand) -> None:
    """absent | start | any | any | as below | the call is over and it settled: failed"""
    phase = Phase.WAKING if demand.desired else Phase.STOPPING
    why = "the instance was not there after its start"
    assert look(seen(intent=started()), demand) == (phase, (done("failed", why),), None)
    shape = seen(intent=started(error="no such image"))
    assert look(shape, demand) == (phase, (done("failed", "no such image"),), None)
    shape = seen(intent=started(), detail="exit code 3")
    assert look(shape, demand) == (phase, (done("failed", "exit code 3"),), None)


@pytest.mark.parametrize("condition", PRESENT)
class TestRowPresentStart:
    """present | start | any | … | waking"""

    def test_wanted_and_ready(self, condition: str) -> None:
        shape = seen(condition=condition, intent=started(), ready=True)
        assert look(shape, WANTED) == (Phase.WAKING, (done("ready"),), None)

    def test_wanted_and_not_yet_ready(self, condition: str) -> None:
        assert look(seen(condition=condition, intent=started()), WANTED) == (Phase.WAKING, (), T + 35)

    def test_wanted_and_too_late(self, condition: str) -> None:
        late = Intent(IntentKind.START, T - 40, returned_at=T - 30)
        shape = seen(condition=condition, intent=late, probe_error="GET / answered 500")
        why = "not ready within 40 s: GET / answered 500"
        assert look(shape, WANTED) == (Phase.WAKING, (done("failed", why), Stop(PLACE, why)), None)

    def test_unwanted(self, condition: str) -> None:
        assert look(seen(condition=condition, intent=started()), UNWANTED) == (Phase.STOPPING, (STOP,), None)

    def test_a_gate_left_open_by_a_crash_is_closed_first(self, condition: str) -> None:
        for demand in DEMANDS:
            shape = seen("open", condition=condition, intent=started(), ready=True)
            assert look(shape, demand)[1] == (CloseGate(),)
            shape = seen("moving", condition=condition, intent=started(), ready=True)
            assert look(shape, demand)[1] == ()


class TestRowAbsentNone:
    """absent | none | …"""

    @pytest.mark.parametrize("outcome", [None, Outcome.STOPPED, Outcome.FAILED, Outcome.CRASHED])
    def test_open(self, outcome: Outcome | None) -> None:
        shape = seen("open", outcome=outcome)
        assert look(shape, UNWANTED) == (Phase.ASLEEP, (CloseGate(),), None)
        assert look(shape, WANTED) == (Phase.WAKING, (CloseGate(), START), None)

    @pytest.mark.parametrize("demand", DEMANDS, ids=["wanted", "unwanted"])
    def test_it_was_ready_so_it_crashed(self, demand: Demand) -> None:
        assert look(seen("open", outcome=Outcome.READY), demand)[1:] == (
            (CloseGate(), done("crashed", "it vanished")),
            None,
        )
        shape = seen("closed", outcome=Outcome.READY, detail="killed by signal 9")
        assert look(shape, demand)[1] == (done("crashed", "killed by signal 9"),)

    def test_closed_and_wanted(self) -> None:
        assert look(seen(), WANTED) == (Phase.WAKING, (START,), None)

    def test_closed_and_wanted_after_failures(self) -> None:
        shape = seen(failures=Failures(3, T - 1, "exit code 3"), outcome=Outcome.FAILED)
        assert look(shape, WANTED) == (Phase.FAILED, (), T + 3)
        assert look(shape, WANTED, at=T + 3) == (Phase.FAILED, (START,), None)

    def test_closed_and_unwanted(self) -> None:
        assert look(seen(), UNWANTED) == (Phase.ASLEEP, (), None)

    def test_closed_and_unwanted_after_failures(self) -> None:
        shape = seen(failures=Failures(3, T - 1, "exit code 3"), outcome=Outcome.FAILED)
        assert look(shape, UNWANTED) == (Phase.FAILED, (), T + 3)
        assert look(shape, UNWANTED, at=T + 3) == (Phase.ASLEEP, (), None)


@pytest.mark.parametrize("condition", PRESENT)
class TestRowPresentNone:
    """present | none | …"""

    def test_closed_wanted(self, condition: str) -> None:
        shape = seen(condition=condition, seen_since=T - 10)
        assert look(shape, WANTED) == (Phase.WAKING, (), T + 30)
        shape = seen(condition=condition, ready=True)
        assert look(shape, WANTED) == (Phase.WAKING, (OpenGate(),), None)
        shape = seen(condition=condition, seen_since=T - 40, traffic=QUIET)
        why = "not ready within 40 s"
        assert look(shape, WANTED) == (Phase.WAKING, (done("failed", why), Stop(PLACE, why)), None)

    def test_open_wanted(self, condition: str) -> None:
        found = look(seen("open", condition=condition, ready=True), WANTED)
        assert found == (Phase.AWAKE if condition == "running" else Phase.WAKING, (), None)

    def test_open_unwanted(self, condition: str) -> None:
        assert look(seen("open", condition=condition), UNWANTED) == (Phase.DRAINING, (CloseGate(),), None)

    def test_closed_unwanted(self, condition: str) -> None:
        shape = seen(condition=condition, traffic=QUIET)
        assert look(shape, UNWANTED) == (Phase.DRAINING, (STOP,), None)

    def test_closed_unwanted_with_work_open(self, condition: str) -> None:
        shape = seen(condition=condition, traffic=Traffic(busy=1, read_at=T, last_activity=T))
        assert look(shape, UNWANTED)[:2] == (Phase.DRAINING, ())

    def test_moving(self, condition: str) -> None:
        shape = seen("moving", condition=condition, ready=True, traffic=QUIET)
        assert look(shape, WANTED) == (Phase.WAKING, (), None)
        assert look(shape, UNWANTED) == (Phase.DRAINING, (), None)


@pytest.mark.parametrize("demand", DEMANDS, ids=["wanted", "unwanted"])
@pytest.mark.parametrize("gate", GATES)
def test_row_somebody_else_stops_it(gate: GateState, demand: Demand) -> None:
    """stopping | none | … | stopping | close the gate and wait"""
    shape = seen(gate, condition="stopping")
    expected = (CloseGate(),) if gate is GateState.OPEN else ()
    assert look(shape, demand) == (Phase.STOPPING, expected, None)
