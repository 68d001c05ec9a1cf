"""Who wins when wishes differ, and which moments count as somebody's need."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.core.shapes import NOW, a_hand, instance, seen, service

from poorwill.core.demand import wanted
from poorwill.core.door import Asked, Traffic
from poorwill.core.hand import in_force
from poorwill.core.many import within_its_room
from poorwill.core.model import (
    Condition,
    Demand,
    HandKind,
    Intent,
    IntentKind,
    Observation,
    OnRequest,
    Outcome,
)
from poorwill.core.scale import Scale, ScalePolicy
from poorwill.core.share import Verdict, Word

IDLE = service().idle_after
T = NOW.mono
WAITING = Asked(waiting=3, last_at=T)
STARTING = Intent(IntentKind.START, T - 5, "requests are waiting")
BUSY = Traffic(last_activity=T)


def demand(shape: Observation) -> Demand:
    return wanted(service(), shape, NOW)


@pytest.mark.parametrize(
    ("stronger", "weaker", "desired"),
    [
        pytest.param({"hand": a_hand("sleep")}, {"asked": WAITING}, 0, id="sleep over visitors"),
        pytest.param({"hand": a_hand("sleep")}, {"intent": STARTING}, 0, id="sleep over a start under way"),
        pytest.param({"hand": a_hand("sleep")}, {"traffic": BUSY}, 0, id="sleep over activity"),
        pytest.param({"hand": a_hand("wake")}, {}, 1, id="wake over nobody"),
        pytest.param({"hand": a_hand("wake")}, {"asked": WAITING}, 1, id="wake over visitors"),
        pytest.param({"asked": WAITING}, {"intent": STARTING}, 1, id="visitors over a start under way"),
        pytest.param({"intent": STARTING}, {"traffic": BUSY}, 1, id="a start under way over activity"),
    ],
)
def test_the_stronger_wish_wins_and_gives_the_reason(
    stronger: dict[str, object], weaker: dict[str, object], desired: int
) -> None:
    alone = demand(seen(condition="running", **stronger))
    both = demand(seen(condition="running", **{**weaker, **stronger}))
    assert both.desired == desired
    assert both.reason == alone.reason


@pytest.mark.parametrize("kind", ["wake", "sleep"])
def test_what_a_person_said_ends_at_its_time(kind: str) -> None:
    held = seen(hand=a_hand(kind, until=T + 10))
    over = seen(hand=a_hand(kind, until=T))
    assert demand(held).until == T + 10
    assert demand(over) == demand(seen())
    assert in_force(over, NOW) is None
    assert in_force(held, NOW) is held.hand


def test_a_person_s_word_without_an_end_has_no_until() -> None:
    assert demand(seen(hand=a_hand("wake"))).until is None
    assert in_force(seen(), NOW) is None


def test_the_reason_names_who_said_it() -> None:
    assert demand(seen(hand=a_hand("sleep"))).reason == "put to sleep by hand"
    assert demand(seen(hand=a_hand("wake"))).reason == "kept awake by hand"


def test_nobody_asks_for_it() -> None:
    assert demand(seen()) == Demand(0, "nobody asks for it", rule="idle")


@pytest.mark.parametrize("ago", [0.0, 1.0, IDLE - 0.001])
def test_a_recent_need_keeps_it_awake_until_it_is_idle(ago: float) -> None:
    for need in ({"traffic": Traffic(last_activity=T - ago)}, {"asked": Asked(0, T - ago)}):
        found = demand(seen(condition="running", **need))
        assert (found.desired, found.until) == (1, T - ago + IDLE)


@pytest.mark.parametrize("ago", [IDLE, IDLE + 1, 10 * IDLE])
def test_idle_long_enough(ago: float) -> None:
    found = demand(seen(condition="running", traffic=Traffic(last_activity=T - ago)))
    assert found == Demand(0, "no activity for 1m", rule="idle")


def test_the_newest_need_counts() -> None:
    found = demand(seen(condition="running", traffic=Traffic(last_activity=T - 50), asked=Asked(0, T - 7)))
    assert found.until == T - 7 + IDLE


def test_an_instance_found_running_is_given_time_to_prove_that_it_is_used() -> None:
    assert demand(seen(condition="running", seen_since=T - 1)).desired == 1
    assert demand(seen(condition="running", seen_since=T - IDLE)).desired == 0


def test_a_wake_is_idle_only_idle_after_it_got_ready() -> None:
    """A start that takes longer than ``idle_after`` must not be undone the moment it succeeds."""
    asked = Asked(0, T - 10 * IDLE)
    assert demand(seen(condition="running", asked=asked, ready=True, ready_since=T - 1)).desired == 1


def test_activity_belongs_to_the_life_it_happened_in() -> None:
    gone = {"traffic": Traffic(last_activity=T - 1), "ready_since": T - 5}
    assert demand(seen(**gone, outcome=Outcome.STOPPED, outcome_at=T - 1)).desired == 0
    assert demand(seen(**gone, outcome=Outcome.CRASHED, outcome_at=T - 1)).desired == 1


def test_a_crash_of_a_service_in_use_is_a_reason_to_come_back_before_it_is_written_down() -> None:
    """Else the service is called asleep for a moment, and its readings are thrown away."""
    shape = seen(traffic=Traffic(last_activity=T - 1), outcome=Outcome.READY, outcome_at=T - 100)
    assert demand(shape).desired == 1


def test_only_requests_after_the_stop_count_for_the_next_life() -> None:
    stopped = {"outcome": Outcome.STOPPED, "outcome_at": T - 10}
    assert demand(seen(**stopped, asked=Asked(0, T - 11))).desired == 0
    assert demand(seen(**stopped, asked=Asked(0, T - 10))).desired == 0
    assert demand(seen(**stopped, asked=Asked(0, T - 9))).desired == 1


def test_a_request_outlives_a_failed_start_for_as_long_as_an_idle_service_lives() -> None:
    failed = {"outcome": Outcome.FAILED, "outcome_at": T - 1}
    assert demand(seen(**failed, asked=Asked(0, T - 30))).desired == 1
    assert demand(seen(**failed, asked=Asked(0, T - IDLE))).desired == 0


def test_a_start_under_way_is_seen_through_though_the_visitor_left() -> None:
    shape = seen(condition="starting", intent=STARTING)
    assert demand(shape) == Demand(1, "requests are waiting", rule="starting")
    assert demand(seen(intent=Intent(IntentKind.START, T))).reason == "a start is under way"


def test_a_stop_under_way_is_no_wish_to_run() -> None:
    assert demand(seen(condition="running", intent=Intent(IntentKind.STOP, T - 1, "idle"))).desired == 0


@pytest.mark.parametrize(
    ("seconds", "words"), [(60, "1m"), (90, "90s"), (7200, "2h"), (86400, "1d"), (0.5, "0.5s"), (30, "30s")]
)
def test_the_idle_time_is_said_in_words(seconds: float, words: str) -> None:
    shape = seen(condition="running", traffic=Traffic(last_activity=T - seconds))
    assert wanted(service(idle_after=seconds), shape, NOW).reason == f"no activity for {words}"


def test_the_condition_alone_wants_nothing() -> None:
    for condition in Condition:
        assert demand(seen(condition=condition, seen_since=None)).desired == 0


def test_every_kind_of_hand_is_heard() -> None:
    assert {demand(seen(hand=a_hand(kind))).desired for kind in HandKind} == {0, 1}


@pytest.mark.parametrize(
    ("verdict", "desired", "reason"),
    [
        (None, 3, "busy"),
        (Verdict(room=3), 3, "busy"),
        (
            Verdict(why="there is no room for more on GPU 0", room=2),
            2,
            "busy; there is no room for more on GPU 0",
        ),
        (Verdict(Word.WAITS, "waits for GPU 0", room=0), 1, "busy"),
    ],
)
def test_no_more_than_its_gpu_has_room_for(verdict: Verdict | None, desired: int, reason: str) -> None:
    """What it waits for is said once, by what is missing."""
    assert within_its_room(Demand(3, "busy"), seen(gpu=verdict)) == Demand(desired, reason)


def test_a_verdict_has_its_hour() -> None:
    assert demand(seen(gpu=Verdict(until=T + 5))).until == T + 5
    assert demand(seen(asked=WAITING, gpu=Verdict(Word.GOES, "makes room", 0))).rule == "gpu"


def test_who_makes_room_treats_visitors_as_before() -> None:
    goes = Verdict(Word.GOES, "makes room on GPU 0 for images", 0)
    found = wanted(service(on_request=OnRequest.CLOSED), seen(hand=a_hand("wake"), gpu=goes), NOW)
    assert (found.desired, found.entrance) == (0, OnRequest.WAKE)


# --- how many -----------------------------------------------------------------------------------

MANY = service(scale=ScalePolicy(0, 3))


def test_who_asks_once_at_a_page_wakes_a_service_that_may_have_several() -> None:
    found = wanted(MANY, seen(asked=Asked(0, T - 1), scale=Scale(0, T - 30)), NOW)
    assert (found.desired, found.reason) == (1, "somebody asked for it")


def test_activity_calls_its_sleep_off_and_every_decision_has_a_reason() -> None:
    late = seen(condition="running", traffic=BUSY, scale=Scale(0, T - 0.1))
    found = wanted(MANY, late, NOW)
    assert (found.desired, found.reason) == (1, "in use; sleeps after 1m without activity")


@pytest.mark.parametrize(("ago", "desired"), [(5.0, 0), (0.5, 1)])
def test_the_last_one_that_a_rule_removed_comes_back_for_who_came_after_that(
    ago: float, desired: int
) -> None:
    removed = Scale(0, T - 1, "nothing in the queue for 5s: 1 → 0 instances")
    found = wanted(
        MANY, seen(condition="running", traffic=Traffic(last_activity=T - ago), scale=removed), NOW
    )
    assert found.desired == desired
    assert found.reason == (removed.reason if not desired else "in use; sleeps after 1m without activity")


@pytest.mark.parametrize("outcome", [None, Outcome.CRASHED, Outcome.FAILED])
@pytest.mark.parametrize(("at", "desired"), [(T - 30, 0), (T - 10, 1)])
def test_who_was_served_by_one_that_ended_on_purpose_is_history_for_the_others(
    outcome: Outcome | None, at: float, desired: int
) -> None:
    stopped = instance(outcome=Outcome.STOPPED, outcome_at=T - 20)
    other = instance(outcome=outcome, outcome_at=None if outcome is None else T - 40)
    shape = replace(seen(asked=Asked(0, at)), instances=(other, stopped))
    assert wanted(MANY, shape, NOW).desired == desired


@pytest.mark.parametrize(("ago", "desired"), [(30, 0), (10, 1)])
def test_a_crash_is_a_reason_to_come_back_unless_another_one_lived_on(ago: float, desired: int) -> None:
    stopped = instance(outcome=Outcome.STOPPED, outcome_at=T - 20)
    crashed = instance(outcome=Outcome.CRASHED, outcome_at=T - ago)
    shape = replace(seen(), instances=(crashed, stopped))
    assert wanted(MANY, shape, NOW).desired == desired
