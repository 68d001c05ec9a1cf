"""The times that ``core.lifecycle`` speaks of, and what a conclusion makes of the past."""

from __future__ import annotations

import pytest
from tests.core.shapes import PLACE, a_hand, seen, service
from tests.core.table import (
    QUIET,
    STOP,
    UNWANTED,
    WANTED,
    T,
    done,
    look,
    started,
    stopped,
)

from poorwill.core.action import CloseGate, Conclude, Start, Stop
from poorwill.core.door import Traffic
from poorwill.core.lifecycle import START_BACKOFF, STOP_BACKOFF, concluded, retry_at
from poorwill.core.model import Failures, Intent, IntentKind, Outcome, Phase

# --- the provider's time to settle ------------------------------------------------------------------

SLOW = service(settle=10.0)


def test_an_absence_is_not_believed_before_the_start_has_settled() -> None:
    assert look(seen(intent=started()), WANTED, SLOW) == (Phase.WAKING, (), T + 7)
    assert look(seen(intent=started()), UNWANTED, SLOW)[1:] == ((), T + 7)
    assert look(seen(intent=started()), WANTED, SLOW, T + 7)[1][0].outcome is Outcome.FAILED  # type: ignore[union-attr]


def test_a_start_that_failed_may_have_begun_all_the_same() -> None:
    """A call that timed out says nothing: the instance may appear later, and would be started twice."""
    assert look(seen(intent=started(error="timed out")), WANTED, SLOW) == (Phase.WAKING, (), T + 7)


def test_a_start_that_can_never_succeed_needs_no_time_to_settle() -> None:
    shape = seen(intent=started(error="no such type", permanent=True))
    assert look(shape, WANTED, SLOW)[1] == (done("failed", "no such type"),)


def test_a_restart_that_forgot_the_call_asks_again_when_it_has_settled() -> None:
    forgotten = started(returned_at=None)
    shape = seen(intent=forgotten, seen_since=T - 4)
    assert look(shape, WANTED) == (Phase.WAKING, (Start(PLACE, "asked"),), None)
    assert look(shape, UNWANTED) == (Phase.STOPPING, (done("stopped"),), None)
    assert look(shape, WANTED, SLOW) == (Phase.WAKING, (), T + 6)
    assert look(shape, WANTED, SLOW, T + 6)[1] == (Start(PLACE, "asked"),)


def test_a_restart_that_forgot_the_stop_asks_again_at_once() -> None:
    shape = seen(condition="running", intent=stopped(returned_at=None))
    assert look(shape, WANTED, SLOW)[1] == (Stop(PLACE, "idle"),)


def test_a_stop_that_takes_its_time_is_not_repeated_before_it_settled() -> None:
    shape = seen(condition="running", intent=stopped())
    assert look(shape, UNWANTED, SLOW)[1:] == ((), T + 7)
    shape = seen(condition="running", intent=stopped(error="quota"))
    assert look(shape, UNWANTED, SLOW)[1] == (Stop(PLACE, "idle"),)


# --- back-off ---------------------------------------------------------------------------------------


def test_the_pause_before_a_start_doubles_up_to_five_minutes() -> None:
    pauses = [retry_at(Failures(count, T, "x"), None) - T for count in range(1, 12)]
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert retry_at(Failures(10**6, T, "x"), None) == T + START_BACKOFF[1]


def test_the_pause_before_a_stop_doubles_up_to_a_minute() -> None:
    def pause(attempts: int) -> float:
        shape = seen(condition="running", intent=stopped(attempts=attempts, returned_at=T, error="quota"))
        again = look(shape, UNWANTED)[2]
        assert again is not None
        return again - T

    assert [pause(attempts) for attempts in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pause(10**6) == STOP_BACKOFF[1]


def test_a_person_s_wake_may_try_at_once_but_only_once() -> None:
    failures = Failures(8, T - 10, "x")
    assert retry_at(failures, a_hand("wake", at=T - 9)) <= T
    assert retry_at(failures, a_hand("wake", at=T - 11)) == T - 10 + 128
    assert retry_at(failures, a_hand("sleep", at=T - 9)) == T - 10 + 128


# --- draining ---------------------------------------------------------------------------------------


def test_it_looks_again_when_silent_streams_may_be_cut() -> None:
    shape = seen(condition="running", gate_since=T - 4, traffic=Traffic(active=1, read_at=T))
    assert look(shape, UNWANTED)[1:] == ((), T + 6)
    moved = Traffic(active=1, last_activity=T - 2, read_at=T)
    assert look(seen(condition="running", gate_since=T - 4, traffic=moved), UNWANTED)[1:] == ((), T + 58)
    silent = Traffic(active=1, last_activity=T - 2, read_at=T + 58)
    shape = seen(condition="running", gate_since=T - 4, traffic=silent)
    assert look(shape, UNWANTED, at=T + 58)[1] == (STOP,)


def test_a_busy_request_is_waited_for_and_no_time_is_named() -> None:
    shape = seen(condition="running", gate_since=T - 400, traffic=Traffic(busy=1, read_at=T))
    assert look(shape, UNWANTED)[1:] == ((), None)


def test_force_cuts_what_is_open_and_does_not_wait_for_the_gate() -> None:
    busy = Traffic(busy=1, read_at=T, last_activity=T)
    force = a_hand("sleep", force=True)
    assert look(seen(condition="running", traffic=busy, hand=force), UNWANTED)[1] == (STOP,)
    assert look(seen("open", condition="running", traffic=busy, hand=force), UNWANTED)[1] == (CloseGate(),)
    moving = seen("moving", condition="running", traffic=busy, hand=force)
    assert look(moving, UNWANTED)[1] == (CloseGate(), STOP), "it may be opening"


def test_only_a_sleep_can_force() -> None:
    shape = seen("moving", condition="running", ready=True, hand=a_hand("wake", force=True))
    assert look(shape, WANTED)[1] == ()


@pytest.mark.parametrize("work", [Traffic(busy=1, read_at=T), Traffic(active=1, read_at=T, last_activity=T)])
@pytest.mark.parametrize("intent", [None, Intent(IntentKind.START, T - 40, returned_at=T - 30)])
def test_what_never_got_ready_may_still_work_on_what_an_earlier_life_let_in(
    work: Traffic, intent: Intent | None
) -> None:
    facts = {"condition": "running", "intent": intent, "seen_since": T - 40}
    assert look(seen(**facts, traffic=work), WANTED)[1:] == ((), None)
    assert look(seen(**facts, traffic=work), UNWANTED)[1] == ()
    assert look(seen(**facts, traffic=QUIET), WANTED)[1] != ()
    force = a_hand("sleep", force=True)
    assert look(seen(**facts, traffic=work, hand=force), UNWANTED)[1] == (STOP,)


def test_a_start_of_an_earlier_life_may_have_let_somebody_in() -> None:
    """Nothing has been read since the restart: whether anything is open is not known yet."""
    facts = {"condition": "running", "intent": Intent(IntentKind.START, T - 20, returned_at=T - 10)}
    assert look(seen(gate_since=T - 1, **facts), UNWANTED)[1] == ()
    assert look(seen(gate_since=T - 1, **facts, traffic=QUIET), UNWANTED)[1] == (STOP,)
    assert look(seen(gate_since=T - 20, **facts), UNWANTED)[1] == (STOP,)


def test_force_ends_with_the_word_it_was_said_with() -> None:
    busy = Traffic(busy=1, read_at=T, last_activity=T)
    over = a_hand("sleep", force=True, until=T - 1)
    assert look(seen(condition="running", traffic=busy, hand=over), UNWANTED)[1] == ()


# --- what a conclusion means ------------------------------------------------------------------------

NONE, TWO = Failures(), Failures(2, 10.0, "exit code 3")


@pytest.mark.parametrize(
    ("before", "failures", "conclusion", "ready_since", "after"),
    [
        pytest.param(None, NONE, done("ready"), None, (Outcome.READY, NONE), id="ready"),
        pytest.param(
            Outcome.FAILED, TWO, done("ready"), None, (Outcome.READY, TWO), id="ready clears nothing yet"
        ),
        pytest.param(
            Outcome.READY, TWO, done("stopped"), 50.0, (Outcome.STOPPED, NONE), id="a stop on purpose clears"
        ),
        pytest.param(
            Outcome.FAILED,
            TWO,
            done("stopped"),
            None,
            (Outcome.FAILED, TWO),
            id="clearing away is no good end",
        ),
        pytest.param(
            None,
            NONE,
            done("failed", "x"),
            None,
            (Outcome.FAILED, Failures(1, T, "x")),
            id="the first failure",
        ),
        pytest.param(
            Outcome.FAILED,
            TWO,
            done("failed", "x"),
            None,
            (Outcome.FAILED, Failures(3, T, "x")),
            id="another",
        ),
        pytest.param(
            Outcome.READY,
            TWO,
            done("crashed", "x"),
            T - 59,
            (Outcome.CRASHED, Failures(3, T, "x")),
            id="a crash soon after it got ready",
        ),
        pytest.param(
            Outcome.READY,
            TWO,
            done("crashed", "x"),
            T - 60,
            (Outcome.CRASHED, Failures(1, T, "x")),
            id="a crash after a good while",
        ),
        pytest.param(
            Outcome.READY,
            TWO,
            done("crashed", "x"),
            None,
            (Outcome.CRASHED, Failures(3, T, "x")),
            id="a crash, nobody knows when it got ready",
        ),
    ],
)
def test_conclusions(
    before: Outcome | None,
    failures: Failures,
    conclusion: Conclude,
    ready_since: float | None,
    after: tuple[Outcome, Failures],
) -> None:
    assert concluded(before, failures, conclusion, T, ready_since) == after
