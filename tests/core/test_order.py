"""The one table of who wins: every pair of its rows, and what each row says alone."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from tests.core.shapes import a_hand, seen, service
from tests.core.standings import spent
from tests.core.timetables import MONO, at, table, wall

from poorwill.core.allowance import Allowance, Rate, Woken
from poorwill.core.budget import AtLimit
from poorwill.core.demand import ORDER, wanted
from poorwill.core.door import Asked, Traffic
from poorwill.core.model import Demand, HandKind, Intent, IntentKind, OnRequest, Plan
from poorwill.core.scale import ScalePolicy
from poorwill.core.share import Verdict, Word
from poorwill.core.work import Answer, BusyRule, Says, Work

WEDNESDAY = at("2026-11-25 10:00")
WINDOW = table("Wed 09:00-18:00")
DAILY = table({"start": "0 6 * * *", "until": "done"})

ALLOWANCE = Allowance(Rate(2, 3600), None, (Woken(WEDNESDAY.wall - 900), Woken(WEDNESDAY.wall - 60)))

Situation = tuple[dict[str, Any], dict[str, Any]]
"""What is special about the rules of a service, and about what is seen of it."""

AT_WORK = Work(Answer(Says.BUSY, "busy probe: 3 jobs", MONO - 1, MONO, MONO))

HOLDS: dict[str, Situation] = {
    "budget": ({}, {"standings": (spent(AtLimit.CLOSED, WEDNESDAY),)}),
    "sleep": ({}, {"hand": a_hand("sleep")}),
    "gpu": ({}, {"gpu": Verdict(Word.GOES, "makes room on GPU 0 for images", 0)}),
    "wake": ({}, {"hand": a_hand("wake")}),
    "run": ({"job": True, "timetable": DAILY}, {"last_run": wall("2026-11-24 06:00")}),
    "window": ({"timetable": WINDOW}, {}),
    "needed": ({}, {"needed_by": ("web",)}),
    "least": ({"scale": ScalePolicy(1, 3)}, {}),
    "closed": ({"on_request": OnRequest.CLOSED}, {}),
    "no_wake": ({}, {"standings": (spent(AtLimit.NO_WAKE, WEDNESDAY),)}),
    "limit": ({"max_wakes": Rate(2, 3600)}, {"allowance": ALLOWANCE}),
    "waiting": ({}, {"asked": Asked(3, MONO)}),
    "starting": ({}, {"condition": "starting", "intent": Intent(IntentKind.START, MONO - 5, "asked")}),
    "in_use": ({}, {"condition": "running", "traffic": Traffic(last_activity=MONO)}),
    "busy": ({"busy": BusyRule()}, {"condition": "running", "ready": True, "work": AT_WORK}),
    "foreign": ({}, {"condition": "running", "foreign": True}),
    "idle": ({}, {}),
}
DESIRED = {"budget": 0, "sleep": 0, "gpu": 0, "closed": 0, "no_wake": 0, "limit": 0, "idle": 0}
RIVALS = {
    frozenset(("budget", "no_wake")),
    frozenset(("run", "no_wake")),
    frozenset(("no_wake", "starting")),
    frozenset(("no_wake", "in_use")),
    frozenset(("no_wake", "busy")),
    frozenset(("no_wake", "foreign")),
    frozenset(("wake", "sleep")),
    frozenset(("run", "window")),
    frozenset(("run", "limit")),
    frozenset(("limit", "starting")),
    frozenset(("limit", "in_use")),
    frozenset(("limit", "busy")),
    frozenset(("limit", "foreign")),
    frozenset(("busy", "foreign")),
}
"""Rows that cannot both hold: there is one last word, a job has no windows and no visitors, and what is
limited is only the wake of what sleeps, and what is not stopped anyway is not asked whether it works.
"""
TOLD_TOO = {("in_use", "foreign"), ("budget", "wake"), ("budget", "closed")}
"""Where the weaker row has a word in the reason of the stronger one."""


def decided(*rows: str) -> Demand:
    """All of these at once; what an earlier row needs goes before what a later one does."""
    rules: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    for row in reversed(rows):
        rules |= HOLDS[row][0]
        facts |= HOLDS[row][1]
    return wanted(service(**rules), seen(**facts), WEDNESDAY)


def test_every_row_that_decides_is_told_here() -> None:
    assert [rule.name for rule in ORDER if rule.answer] == list(HOLDS)
    assert [rule.name for rule in ORDER if not rule.answer] == ["unknown", "work"]


@pytest.mark.parametrize("row", HOLDS)
def test_each_row_alone(row: str) -> None:
    found = decided(row)
    assert (found.rule, found.desired) == (row, DESIRED.get(row, 1))
    assert found.reason


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [pair for pair in combinations(HOLDS, 2) if frozenset(pair) not in RIVALS],
    ids=lambda row: row,
)
def test_the_stronger_row_decides(stronger: str, weaker: str) -> None:
    both, alone = decided(stronger, weaker), decided(stronger)
    assert (both.rule, both.desired) == (stronger, DESIRED.get(stronger, 1))
    if "run" not in (stronger, weaker) and (stronger, weaker) not in TOLD_TOO:
        assert both.reason == alone.reason


@pytest.mark.parametrize("row", HOLDS)
@pytest.mark.parametrize("on_request", OnRequest)
def test_who_is_let_in_outside_the_hours(row: str, on_request: OnRequest) -> None:
    """Open hours and a person's word let everybody in; else it is what ``on_request`` says."""
    if row == "closed":
        return
    rules, facts = HOLDS[row]
    found = wanted(service(**rules, on_request=on_request), seen(**facts), WEDNESDAY)
    if row in ("budget", "no_wake"):
        expected = "closed" if row == "no_wake" and on_request is OnRequest.CLOSED else row
        assert (found.rule, found.entrance) == (expected, OnRequest.CLOSED)
    elif row in ("sleep", "wake", "window"):
        assert found.entrance is OnRequest.WAKE
    elif row in ("run", "needed", "least", "gpu") or on_request is not OnRequest.CLOSED:
        assert found.entrance is on_request
    else:
        assert (found.rule, found.entrance) == ("closed", OnRequest.CLOSED)


# --- windows ------------------------------------------------------------------------------------


def look(text: str, **facts: Any) -> Demand:
    rules = {"timetable": WINDOW, **facts.pop("rules", {})}
    return wanted(service(**rules), seen(**facts), at(text))


def test_a_window_is_open_from_its_first_second_to_its_last() -> None:
    assert [look(text).desired for text in ("2026-11-25 08:59:59", "2026-11-25 09:00")] == [0, 1]
    assert [look(text).desired for text in ("2026-11-25 17:59:59", "2026-11-25 18:00")] == [1, 0]


def test_the_next_look_is_when_it_opens_or_closes() -> None:
    assert look("2026-11-25 08:00").until == MONO + 3600
    assert look("2026-11-25 17:00").until == MONO + 3600


def test_the_reason_says_until_when_and_from_when() -> None:
    assert look("2026-11-25 10:00").reason == "open Wed 09:00-18:00; closes at 18:00"
    assert look("2026-11-25 19:00").reason == "nobody asks for it; opens on 2026-12-02 at 09:00"
    closed = look("2026-11-24 19:00", rules={"on_request": OnRequest.CLOSED})
    assert closed.reason == "closed; opens on Wed at 09:00"


@pytest.mark.parametrize("seconds", [0.0, 90.0, 1800.0])
def test_a_led_window_begins_with_a_service_that_answers(seconds: float) -> None:
    rules = {"timetable": table({"hours": "Wed 09:00-18:00", "ready_by": "09:00"})}
    begins = wall("2026-11-25 09:00") - seconds
    before, then = (
        wanted(service(**rules), seen(wake_time=seconds), type(WEDNESDAY)(moment, MONO, "boot-1"))
        for moment in (begins - 1, begins)
    )
    assert (before.desired, then.desired) == (0, 1)
    assert before.until == MONO + 1


def test_outside_its_window_a_request_wakes_it_and_the_window_ends_no_work() -> None:
    assert look("2026-11-25 20:00", asked=Asked(1, MONO)).rule == "waiting"
    busy = {"condition": "running", "traffic": Traffic(last_activity=MONO - 10)}
    assert look("2026-11-25 18:00", **busy).rule == "in_use"
    assert look("2026-11-25 18:00", rules={"on_request": OnRequest.CLOSED}, **busy).rule == "closed"


def test_a_service_started_by_its_hour_takes_visitors_until_it_is_idle() -> None:
    rules = {
        "timetable": table({"start": "0 8 * * *", "until": "idle"}),
        "on_request": OnRequest.CLOSED,
        "idle_after": 600.0,
    }
    for minute, desired in ((0, 1), (9, 1), (10, 0)):
        found = wanted(service(**rules), seen(), at(f"2026-11-25 08:{minute:02}"))
        assert found.desired == desired
        assert found.entrance is (OnRequest.WAKE if desired else OnRequest.CLOSED)
    used = seen(
        condition="running", ready=True, ready_since=MONO - 3500, traffic=Traffic(last_activity=MONO - 60)
    )
    assert wanted(service(**rules), used, at("2026-11-25 09:00")).rule == "in_use"


# --- what a person said and planned -------------------------------------------------------------


def test_a_word_may_end_at_an_hour() -> None:
    until = wall("2026-11-25 12:00")
    asleep = a_hand("sleep", until_wall=until)
    assert look("2026-11-25 11:59:59", hand=asleep).rule == "sleep"
    assert look("2026-11-25 11:59:59", hand=asleep).until == MONO + 1
    assert look("2026-11-25 12:00", hand=asleep).rule == "window"


def test_plans_hold_in_their_hours_and_the_last_word_goes_before_them() -> None:
    plan = Plan(HandKind.SLEEP, wall("2026-11-25 12:00"), wall("2026-11-25 13:00"), "by ada")
    found = [look(f"2026-11-25 {text}", plans=(plan,)) for text in ("11:59", "12:00", "12:59", "13:00")]
    assert [one.rule for one in found] == ["window", "sleep", "sleep", "window"]
    assert found[0].until == MONO + 60
    assert found[1].reason == "put to sleep by ada"
    assert look("2026-11-25 12:30", plans=(plan,), hand=a_hand("wake")).rule == "wake"


def test_of_two_plans_the_one_made_last_counts() -> None:
    hours = wall("2026-11-25 12:00"), wall("2026-11-25 13:00")
    plans = Plan(HandKind.SLEEP, *hours), Plan(HandKind.WAKE, *hours)
    assert look("2026-11-25 12:30", plans=plans).rule == "wake"
