"""What is known between two looks, and what the core is told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import PLACE, PROBE, RULES, FakeFront
from tests.control.virtual_time import in_virtual_time

from poorwill.control.facts import Facts
from poorwill.control.needs import Needs
from poorwill.control.observation import observe
from poorwill.control.place import Place
from poorwill.core.action import Conclude
from poorwill.core.model import Condition, Failures, Instance, Intent, IntentKind, Now, Outcome, Service
from poorwill.providers.base import Sighting

STALE = 30.0


def facts(place: Place | None = None, settle: float = 0.0) -> Facts:
    place = place or Place(PLACE)
    provider = FakeProvider(Cloud(), settle, STALE)
    return Facts(
        Service(RULES.name, RULES.idle_after, RULES.drain, RULES.start_timeout, settle),
        provider,  # type: ignore[arg-type]
        PROBE,
        {place.id: place},
    )


def running(life: str = "life-1", condition: Condition = Condition.RUNNING) -> Sighting:
    return Sighting(PLACE, condition, life, "127.0.0.1:8000", f"detail of {life}")


def told(known: Facts, now: float) -> Instance:
    front = FakeFront()
    front.gate = lambda service: None  # type: ignore[method-assign,assignment,return-value]
    (instance,) = observe(known, front, Needs({}), Now(0.0, now, "")).instances
    return instance


def test_after_a_restart_a_start_that_was_begun_counts_and_a_stop_does_not() -> None:
    known = facts()
    known.places["notes-2"] = Place("notes-2", intent=Intent(IntentKind.START, 1.0))
    known.places["notes-3"] = Place("notes-3", intent=Intent(IntentKind.STOP, 1.0))
    gone = Sighting("notes-3", Condition.RUNNING, "life-3")
    known.saw([running(), gone], 10.0)
    front = FakeFront()
    front.gate = lambda service: None  # type: ignore[method-assign,assignment,return-value]
    assert observe(known, front, Needs({}), Now(0.0, 11.0, "")).scale.count == 2


# --- looking ----------------------------------------------------------------------------------------


def test_before_the_first_look_nothing_is_known() -> None:
    known = facts()
    assert (told(known, 5.0).condition, told(known, 5.0).detail) == (Condition.UNKNOWN, "not looked at yet")
    known.look_error = "no route to the cloud"
    assert told(known, 5.0).detail == "no route to the cloud"


def test_what_is_not_listed_is_absent() -> None:
    known = facts()
    known.saw([], 10.0)
    assert told(known, 11.0).condition is Condition.ABSENT
    known.saw([Sighting("another", Condition.RUNNING)], 12.0)
    assert told(known, 13.0).condition is Condition.ABSENT


def test_a_fact_keeps_for_so_long_and_then_nothing_is_known() -> None:
    known = facts()
    known.saw([running()], 10.0)
    assert told(known, 10.0 + STALE).condition is Condition.RUNNING
    late = told(known, 10.1 + STALE)
    assert (late.condition, late.seen_since) == (Condition.UNKNOWN, None)
    assert late.detail == "the provider has not answered for too long"
    known.saw([running()], 11.0 + STALE)
    assert told(known, 11.0 + STALE).seen_since == 10.0, "it was there all the time, as far as anybody knows"


def test_since_when_it_is_so() -> None:
    known = facts()
    known.saw([running(condition=Condition.STARTING)], 10.0)
    known.saw([running(condition=Condition.STARTING)], 15.0)
    assert told(known, 16.0).seen_since == 10.0
    known.saw([running()], 20.0)
    known.saw([running()], 25.0)
    assert told(known, 26.0).seen_since == 20.0
    known.saw([running("life-2")], 30.0)
    assert told(known, 31.0).seen_since == 30.0


def test_readiness_belongs_to_a_life() -> None:
    known = facts()
    place = known.places[PLACE]
    known.saw([running()], 10.0)
    place.ready_life, place.ready_since, place.probe_error = "life-1", 12.0, "before that: refused"
    assert (told(known, 13.0).ready, told(known, 13.0).ready_since) == (True, 12.0)
    known.saw([running("life-2")], 20.0)
    after = told(known, 21.0)
    assert (after.ready, after.ready_since, after.probe_error) == (False, None, "")


def test_a_probe_of_a_life_that_is_over_is_not_believed() -> None:
    known = facts()
    known.saw([running("life-2")], 20.0)
    known.places[PLACE].ready_life, known.places[PLACE].ready_since = "life-1", 19.0
    assert (told(known, 21.0).ready, told(known, 21.0).ready_since) == (False, None)


# --- calls and what shows of them -------------------------------------------------------------------


def with_intent(kind: IntentKind, settle: float = 0.0, **more: object) -> Facts:
    return facts(Place(PLACE, intent=Intent(kind, 5.0, **more)), settle)  # type: ignore[arg-type]


def calling(known: Facts, now: float) -> bool:
    intent = told(known, now).intent
    assert intent is not None
    return intent.calling


@pytest.mark.parametrize("kind", IntentKind)
def test_a_call_is_over_when_a_look_that_began_after_it_is_back(kind: IntentKind) -> None:
    known = with_intent(kind, returned_at=20.0)
    known.saw([], 19.9)
    assert calling(known, 25.0)
    known.saw([], 20.0)
    assert not calling(known, 25.0)


@pytest.mark.parametrize(
    ("kind", "listed", "more", "waits"),
    [
        pytest.param(IntentKind.START, False, {}, True, id="absent after a start: not yet believed"),
        pytest.param(IntentKind.START, True, {}, False, id="present after a start: as expected"),
        pytest.param(IntentKind.START, False, {"error": "x"}, True, id="absent after a start that failed"),
        pytest.param(
            IntentKind.START,
            False,
            {"error": "x", "permanent": True},
            False,
            id="after a start that never can",
        ),
        pytest.param(IntentKind.STOP, True, {}, True, id="present after a stop: not yet believed"),
        pytest.param(IntentKind.STOP, False, {}, False, id="absent after a stop: as expected"),
        pytest.param(IntentKind.STOP, True, {"error": "x"}, False, id="present after a stop that failed"),
    ],
)
def test_what_contradicts_a_call_is_believed_of_a_look_begun_after_it_settled(
    kind: IntentKind, listed: bool, more: dict[str, object], waits: bool
) -> None:
    known = with_intent(kind, 10.0, returned_at=20.0, **more)
    known.saw([running()] if listed else [], 29.9)
    assert calling(known, 40.0) is waits
    known.saw([running()] if listed else [], 30.0)
    assert not calling(known, 40.0)


def test_a_start_forgotten_by_a_restart_settles_from_the_first_look_on() -> None:
    known = with_intent(IntentKind.START, 10.0)
    known.saw([], 100.0)
    known.saw([], 109.9)
    assert calling(known, 109.95)
    known.saw([], 110.0)
    assert not calling(known, 110.0)


def test_a_start_is_not_late_because_nobody_could_look() -> None:
    known = with_intent(IntentKind.START)
    known.saw([running()], 600.0)
    assert told(known, 601.0).intent.at == 600.0  # type: ignore[union-attr]
    known.saw([running()], 605.0)
    assert told(known, 606.0).intent.at == 600.0  # type: ignore[union-attr]
    known.saw([running()], 605.0 + STALE + 1)
    assert told(known, 640.0).intent.at == 606.0 + STALE  # type: ignore[union-attr]
    assert known.places[PLACE].intent.at == 5.0, "how long the wake took is still known"  # type: ignore[union-attr]


# --- conclusions ------------------------------------------------------------------------------------


def conclude(known: Facts, outcome: Outcome, at: float) -> Place:
    known.conclude(Conclude(PLACE, outcome, "why"), at)
    return known.places[PLACE]


def test_a_conclusion_closes_the_intent() -> None:
    place = conclude(with_intent(IntentKind.START), Outcome.READY, 30.0)
    assert (place.intent, place.outcome, place.outcome_at) == (None, Outcome.READY, 30.0)


def test_a_life_that_was_stopped_ended_when_the_stop_was_decided() -> None:
    """Who asks after that asks for the next one."""
    assert conclude(with_intent(IntentKind.STOP), Outcome.STOPPED, 30.0).outcome_at == 5.0


def test_a_crash_after_a_good_while_begins_a_new_row() -> None:
    known = facts()
    next(iter(known.places.values())).failures = Failures(4, 1.0, "exit code 3")
    known.saw([running()], 10.0)
    conclude(known, Outcome.READY, 12.0)
    known.saw([], 100.0)
    conclude(known, Outcome.CRASHED, 100.0)
    assert known.failures == Failures(1, 100.0, "why")


def test_a_crash_at_once_continues_the_row() -> None:
    known = facts()
    next(iter(known.places.values())).failures = Failures(4, 1.0, "exit code 3")
    conclude(known, Outcome.READY, 12.0)
    conclude(known, Outcome.CRASHED, 40.0)
    assert known.failures == Failures(5, 40.0, "why")


@in_virtual_time
async def test_the_gateway_s_side_comes_from_the_gateway() -> None:
    known, front = facts(), FakeFront()
    front.ask(RULES.name, 3)
    seen = observe(known, front, Needs({}), Now(0.0, 5.0, ""))
    assert (seen.asked.waiting, seen.gate, seen.traffic) == (
        3,
        front.gate(RULES.name),
        front.traffic(RULES.name),
    )


# --- whose it is ------------------------------------------------------------------------------------


def test_what_the_place_starts_again_by_itself_is_whose_the_life_before_was() -> None:
    place = Place(PLACE, ours=True, ended="life-1")
    known = facts(place)
    known.saw([running("life-2")], 10.0)
    assert place.foreign
    known.saw([], 11.0)
    known.saw([replace(running("life-3"), resumed=True)], 12.0)
    assert place.foreign, "somebody else started what crashed"
    known.adopt(PLACE, 13.0)
    known.saw([], 14.0)
    known.conclude(Conclude(PLACE, Outcome.CRASHED), 14.0)
    known.saw([replace(running("life-4"), resumed=True)], 15.0)
    assert not place.foreign, "it was adopted when it crashed"
