"""What the journal remembers must mean the same after a restart, whatever the clocks did meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.control import restore
from poorwill.core.history import WINDOW
from poorwill.core.lifecycle import retry_at
from poorwill.core.model import Failures, HandKind, IntentKind, Now, Outcome
from poorwill.store.journal import Event, Kind, Restored, RestoredInstance

WALL = 1_800_000_000.0
NOW = Now(wall=WALL, mono=5_000.0, boot="boot-1")
REBOOTED = Now(wall=WALL, mono=30.0, boot="boot-2")


def event(kind: Kind, ago: float, *, reason: str = "", boot: str = "boot-1", **detail: Any) -> Event:
    return Event(1, WALL - ago, NOW.mono - ago, boot, kind, "notes", "notes-1", reason, detail)


# --- times ------------------------------------------------------------------------------------------


def test_within_a_boot_the_monotonic_clock_counts_whatever_the_wall_clock_says() -> None:
    assert restore.moment(event(Kind.READY, 100), NOW) == NOW.mono - 100
    for wall in (0.0, WALL - 86_400, WALL + 86_400):
        assert restore.moment(event(Kind.READY, 100), Now(wall, NOW.mono, NOW.boot)) == NOW.mono - 100


def test_over_a_boot_the_wall_clock_counts() -> None:
    assert restore.moment(event(Kind.READY, 100), REBOOTED) == REBOOTED.mono - 100


def test_a_clock_that_was_set_back_makes_nothing_happen_in_the_future() -> None:
    behind = Now(WALL - 3_600, REBOOTED.mono, REBOOTED.boot)
    assert restore.moment(event(Kind.READY, 100), behind) == behind.mono


@given(
    st.floats(0, 4e9),
    st.floats(0, 1e9),
    st.sampled_from(["boot-1", "boot-2"]),
    st.floats(0, 4e9),
    st.floats(0, 1e9),
)
def test_a_moment_is_never_in_the_future(
    at: float, mono: float, boot: str, wall: float, monotonic: float
) -> None:
    found = restore.moment(
        Event(1, at, mono, "boot-1", Kind.READY), Now(wall=wall, mono=monotonic, boot=boot)
    )
    assert found <= monotonic


# --- a person's word --------------------------------------------------------------------------------


def test_a_person_s_word_outlives_a_restart() -> None:
    hand = restore.hand(event(Kind.WAKE, 60, reason="by hand (ada)"), NOW)
    assert hand is not None
    assert (hand.kind, hand.at, hand.until, hand.by, hand.force) == (
        HandKind.WAKE,
        NOW.mono - 60,
        None,
        "by hand (ada)",
        False,
    )
    hand = restore.hand(event(Kind.SLEEP, 60), NOW)
    assert hand is not None
    assert (hand.kind, hand.by) == (HandKind.SLEEP, "by hand")


@pytest.mark.parametrize("now", [NOW, REBOOTED])
def test_its_end_is_kept_by_the_wall_clock(now: Now) -> None:
    hand = restore.hand(event(Kind.WAKE, 60, until=WALL + 40), now)
    assert hand is not None
    assert hand.until == now.mono + 40


def test_a_word_that_ran_out_or_was_given_back_is_none() -> None:
    assert restore.hand(None, NOW) is None
    assert restore.hand(event(Kind.AUTO, 60), NOW) is None
    assert restore.hand(event(Kind.WAKE, 60, until=WALL - 1), NOW) is None
    assert restore.hand(event(Kind.WAKE, 60, until=WALL), NOW) is None


# --- instances --------------------------------------------------------------------------------------


def test_nothing_remembered() -> None:
    place = restore.place("notes-1", RestoredInstance(), NOW)
    assert (place.id, place.intent, place.outcome, place.outcome_at) == ("notes-1", None, None, None)
    assert (restore.failures(Restored(), NOW), list(restore.wakes(Restored()))) == (Failures(), [])


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (Kind.READY, Outcome.READY),
        (Kind.STOPPED, Outcome.STOPPED),
        (Kind.FAILED, Outcome.FAILED),
        (Kind.CRASHED, Outcome.CRASHED),
    ],
)
def test_the_last_outcome(kind: Kind, outcome: Outcome) -> None:
    place = restore.place("notes-1", RestoredInstance(outcome=event(kind, 30)), NOW)
    assert (place.outcome, place.outcome_at) == (outcome, NOW.mono - 30)
    assert not place.ready, "only a probe of this life can say so"


def test_an_open_start_whose_call_never_came_back() -> None:
    start = event(Kind.START, 30, reason="requests are waiting", prepared={"port": 8000})
    intent = restore.place("notes-1", RestoredInstance(intent=start, start=start), NOW).intent
    assert intent is not None
    assert (intent.kind, intent.at, intent.reason) == (
        IntentKind.START,
        NOW.mono - 30,
        "requests are waiting",
    )
    assert (intent.calling, intent.returned_at, intent.error) == (False, None, "")


def test_an_open_start_whose_call_came_back() -> None:
    start, started = event(Kind.START, 30), event(Kind.STARTED, 28, handle={"pid": 42})
    intent = restore.place("notes-1", RestoredInstance(start, start, started), NOW).intent
    assert intent is not None
    assert intent.returned_at == NOW.mono - 28


def test_an_open_stop_is_asked_for_again() -> None:
    """The STARTED of the start before says nothing about the stop."""
    start, started = event(Kind.START, 90), event(Kind.STARTED, 88)
    intent = restore.place(
        "notes-1", RestoredInstance(event(Kind.STOP, 30, reason="idle"), start, started), NOW
    ).intent
    assert intent is not None
    assert (intent.kind, intent.reason, intent.returned_at) == (IntentKind.STOP, "idle", None)


def test_handles_of_what_was_started() -> None:
    started = event(Kind.STARTED, 28, handle={"pid": 42})
    found = restore.handles(
        Restored({"notes-1": RestoredInstance(started=started), "notes-2": RestoredInstance()})
    )
    assert {name: dict(handle.data) for name, handle in found.items()} == {"notes-1": {"pid": 42}}


# --- failures and wakes -----------------------------------------------------------------------------


def test_the_back_off_goes_on_where_it_was() -> None:
    failed = event(Kind.FAILED, 10, reason="exit code 3", streak=5)
    failures = restore.failures(Restored(streak=5, failure=failed), NOW)
    assert failures == Failures(5, NOW.mono - 10, "exit code 3")
    assert retry_at(failures, None) == NOW.mono + 6


def test_a_clock_set_back_over_a_boot_does_not_lengthen_the_back_off() -> None:
    failed = event(Kind.FAILED, 10, reason="exit code 3", streak=5)
    behind = Now(WALL - 86_400, 30.0, "boot-2")
    assert retry_at(restore.failures(Restored(streak=5, failure=failed), behind), None) <= 30.0 + 16


def test_past_wakes() -> None:
    assert list(restore.wakes(Restored(wakes=(1.0, 2.0)))) == [1.0, 2.0]
    assert restore.wakes(Restored(wakes=(1.0,))).maxlen == WINDOW
