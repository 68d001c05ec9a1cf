"""What a service whose budget is used up still does, and when it opens again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.shapes import a_hand, seen, service
from tests.core.standings import a_budget, spent, standing
from tests.core.timetables import MONO, at, table, wall

from poorwill.core import spent as closing
from poorwill.core.budget import AtLimit
from poorwill.core.decide import decide
from poorwill.core.demand import wanted
from poorwill.core.door import Asked, Traffic
from poorwill.core.model import Intent, IntentKind, OnRequest, Outcome, Phase
from poorwill.core.period import Per

NOON = at("2026-11-25 12:00")  # a Wednesday
CLOSED = spent(AtLimit.CLOSED, NOON, per=Per.DAY)
NO_WAKE = spent(AtLimit.NO_WAKE, NOON, per=Per.DAY)
MIDNIGHT = wall("2026-11-26 00:00")


def test_what_is_open_ends_first() -> None:
    facts = {"condition": "running", "ready": True, "outcome": Outcome.READY, "standings": (CLOSED,)}
    busy = seen("open", traffic=Traffic(busy=1, last_activity=MONO, read_at=MONO), **facts)
    decision = decide(service(), busy, NOON)
    assert (decision.rule, decision.phase, decision.desired) == ("budget", Phase.DRAINING, 0)
    assert [type(action).__name__ for action in decision.actions] == ["CloseGate"]
    drained = seen("closed", traffic=Traffic(busy=1, last_activity=MONO, read_at=MONO), **facts)
    assert decide(service(), drained, NOON).actions == ()


def test_it_looks_again_when_the_budget_will_be_used_up_and_when_the_period_ends() -> None:
    coming = standing(a_budget("10", AtLimit.CLOSED, per=Per.DAY), NOON, used="9", pace="2")
    awake = {"condition": "running", "ready": True, "traffic": Traffic(last_activity=MONO + 4000)}
    soon = wanted(service(idle_after=86400.0), seen("open", standings=(coming,), **awake), NOON)
    assert soon.rule == "in_use"
    assert soon.until == pytest.approx(MONO + 1800, abs=0.01)
    shut = wanted(service(), seen(standings=(CLOSED,)), NOON)
    assert shut.until == pytest.approx(MONO + (MIDNIGHT - NOON.wall))
    assert shut.reason == "its budget of 100 hours a day is used up; opens on Thu at 00:00"
    month = wanted(service(), seen(standings=(spent(AtLimit.CLOSED, NOON),)), NOON)
    assert month.reason.endswith("opens on 2026-12-01 at 00:00"), "there are several Tuesdays"


def test_a_persons_wake_is_told_what_would_help() -> None:
    found = wanted(service(), seen(standings=(CLOSED,), hand=a_hand("wake")), NOON)
    assert (found.rule, found.desired) == ("budget", 0)
    assert found.reason.endswith("raise `budget` in the configuration, then `poorwill reload`")
    free = wanted(service(), seen(standings=(NO_WAKE,), hand=a_hand("wake")), NOON)
    assert (free.rule, free.desired) == ("wake", 1)


def test_a_run_of_a_job_is_not_stopped_and_the_next_does_not_begin() -> None:
    job = service(job=True, timetable=table({"start": "0 6 * * *", "until": "done"}))
    hour = wall("2026-11-25 06:00")
    under_way = seen(condition="running", due=hour, last_run=hour - 86400, standings=(CLOSED,))
    assert wanted(job, under_way, NOON).rule == "run"
    due = seen(last_run=hour - 86400, standings=(CLOSED,))
    assert (wanted(job, due, NOON).rule, wanted(job, due, NOON).desired) == ("budget", 0)
    assert wanted(job, seen(last_run=hour - 86400, standings=(NO_WAKE,)), NOON).rule == "run"


def test_what_others_need_stays_until_they_ended_their_work() -> None:
    there = seen("open", condition="running", needed_by=("web",), standings=(CLOSED,))
    assert wanted(service(), there, NOON).rule == "needed"
    assert wanted(service(), seen(needed_by=("web",), standings=(CLOSED,)), NOON).rule == "budget"


def test_no_wake_lets_go_on_what_is_awake() -> None:
    used = seen("open", condition="running", traffic=Traffic(last_activity=MONO), standings=(NO_WAKE,))
    assert wanted(service(), used, NOON).rule == "in_use"
    starting = Intent(IntentKind.START, MONO - 5, "asked")
    assert wanted(service(), seen(intent=starting, standings=(NO_WAKE,)), NOON).rule == "starting"
    crashed = seen(outcome=Outcome.CRASHED, asked=Asked(1, MONO), standings=(NO_WAKE,))
    assert wanted(service(), crashed, NOON).rule == "waiting", "it comes back for those it served"
    asleep = seen(outcome=Outcome.STOPPED, asked=Asked(1, MONO), standings=(NO_WAKE,))
    assert (wanted(service(), asleep, NOON).rule, wanted(service(), asleep, NOON).desired) == ("no_wake", 0)


EVENING, MORNING = table("Wed 18:00-20:00, Thu 09:00-18:00"), table("Thu 09:00-18:00")


@pytest.mark.parametrize(
    ("rules", "what", "opens"),
    [
        ({}, CLOSED, "2026-11-26 00:00"),
        ({"timetable": EVENING}, CLOSED, "2026-11-26 00:00"),
        ({"timetable": MORNING, "on_request": OnRequest.CLOSED}, CLOSED, "2026-11-26 09:00"),
        ({"timetable": table("Wed 18:00-06:00"), "on_request": OnRequest.CLOSED}, CLOSED, "2026-11-26 00:00"),
        ({"on_request": OnRequest.CLOSED}, CLOSED, None),
        ({}, NO_WAKE, "2026-11-26 00:00"),
        ({"timetable": EVENING}, NO_WAKE, "2026-11-25 18:00"),
        ({"timetable": MORNING}, NO_WAKE, "2026-11-26 00:00"),
    ],
)
def test_when_visitors_are_let_in_again(rules: dict[str, Any], what: Any, opens: str | None) -> None:
    found = closing.opens_at(service(**rules), what, NOON)
    assert found == (None if opens is None else wall(opens))


def test_visitors_are_told_of_budgets_only_by_their_rows() -> None:
    told = closing.hours(service(), (CLOSED, NO_WAKE), "budget", NOON)
    assert told is not None
    assert (told.spent, told.openings) == (Per.DAY, ((MIDNIGHT, None),))
    assert closing.hours(service(), (CLOSED, NO_WAKE), "idle", NOON) is None
    assert closing.hours(service(), (), "budget", NOON) is None


def test_whose_budget_it_is() -> None:
    assert closing.whose(service(), CLOSED) == "its budget of 100 hours a day"
    other = standing(a_budget("5", payer="gpu", unit="CNY"), NOON)
    assert closing.whose(service(), other) == "the budget of 5 CNY a month for gpu"
    every = standing(a_budget("5", payer="", unit="CNY"), NOON)
    assert closing.whose(service(), every).endswith("for everything together")
    assert every.used == Decimal(0)
