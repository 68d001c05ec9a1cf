"""Playing use again: by hand, and against a second, plainer way to reckon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.timetables import table, wall

from poorwill.advisor.openings import past, with_openings
from poorwill.advisor.play import Played, Use, play, uses_of
from poorwill.core.model import OnRequest, Service
from poorwill.core.schedule import Opening

WAKE, END = 60.0, 20.0
KB = Service("kb", idle_after=600.0)
DAY = wall("2026-11-25 00:00")  # a Wednesday


def played(uses: Sequence[Use], service: Service = KB, days: float = 1.0) -> Played:
    return play(service, uses, DAY, DAY + days * 86400, WAKE, END)


def use(start: float, end: float, delay: float = 0.0) -> Use:
    return Use(DAY + start, DAY + end, delay)


@pytest.mark.parametrize(
    ("uses", "seconds", "waits"),
    [
        ([], 0, []),
        # There at 1000, answers at 1060, used to 1160, idle to 1760, gone at 1780.
        ([use(1000, 1100)], 780, [1000]),
        # The same as it is recorded: the wait is in it already.
        ([use(1000, 1160, 60)], 780, [1000]),
        # The second comes while it is awake.
        ([use(1000, 1100), use(1700, 1800)], 1420, [1000]),
        # The second comes a second too late.
        ([use(1000, 1100), use(1761, 1800)], 780 + 719 - 19, [1000, 1761]),
        # A use that ends before the service is ready.
        ([use(1000, 1010)], 690, [1000]),
        # What is there at the end of the time counts up to it.
        ([use(86_000, 90_000)], 400, [86_000]),
    ],
)
def test_by_hand(uses: list[Use], seconds: float, waits: list[float]) -> None:
    found = played(uses)
    assert found.seconds == pytest.approx(seconds, abs=0.01)
    assert [at - DAY for at in found.waits] == pytest.approx(waits)


def test_a_window_keeps_it_awake_and_nobody_waits_in_it() -> None:
    service = replace(KB, timetable=table("Mon-Fri 09:00-10:00"))
    found = played([use(9.5 * 3600, 9.6 * 3600), use(12 * 3600, 12 * 3600 + 60)], service)
    assert found.seconds == pytest.approx(3600 + END + 60 + 60 + 600 + END, abs=0.1)
    assert [at - DAY for at in found.waits] == [12 * 3600]
    # Somebody is there when the window ends: it sleeps idle_after later.
    late = played([use(9.9 * 3600, 10.1 * 3600)], service)
    assert late.seconds == pytest.approx(1.1 * 3600 + 600 + END, abs=0.1)


def test_who_comes_outside_of_closed_hours_is_turned_away() -> None:
    service = replace(KB, timetable=table("Mon-Fri 09:00-10:00"), on_request=OnRequest.CLOSED)
    found = played([use(3600, 3660), use(9.5 * 3600, 9.6 * 3600)], service)
    assert (found.turned_away, found.waits) == (1, ())
    assert found.seconds == pytest.approx(3600 + END, abs=0.1)


def test_a_service_that_is_always_open_is_there_all_the_time() -> None:
    assert played([use(5, 10)], replace(KB, timetable=table("00:00-24:00"))).seconds == 86_400


@given(
    st.lists(st.tuples(st.integers(0, 80_000), st.integers(1, 3000)), max_size=40),
    st.sampled_from([60.0, 300.0, 900.0]),
)
def test_it_agrees_with_a_plainer_reckoning(found: list[tuple[int, int]], idle: float) -> None:
    uses = list(uses_of([(DAY + start, DAY + start + length, 0.0) for start, length in found]))
    begun, asleep_at, seconds, waits = 0.0, float("-inf"), 0.0, 0
    for one in uses:
        if one.start > asleep_at:
            if begun:
                seconds += asleep_at + END - begun
            begun, waits, delay = one.start, waits + 1, WAKE
        else:
            delay = 0.0
        # A start keeps it awake for idle_after as well.
        asleep_at = max(asleep_at, one.end + delay + idle, begun + WAKE + idle)
    if begun:
        seconds += asleep_at + END - begun
    result = play(replace(KB, idle_after=idle), uses, DAY, DAY + 100_000, WAKE, 0.0)
    assert len(result.waits) == waits
    assert result.seconds == pytest.approx(seconds - END * waits, abs=0.1)


def test_what_overlaps_is_one_use() -> None:
    assert list(uses_of([(5, 9, 0.0), (0, 6, 2.0), (20, 21, 0.0)])) == [Use(0, 9, 2.0), Use(20, 21)]


def test_a_timetable_that_has_been_opens_as_it_did() -> None:
    known = table("Mon-Fri 09:00-18:00", "Sat 10:00-12:00", zone="Europe/Berlin")
    since, until = wall("2026-10-19 00:00"), wall("2026-11-09 00:00")
    copy = past(known, "UTC", since, until)
    assert len(copy.known) == 3 * 6
    for hour in range(int(since), int(wall("2026-11-07 09:00")), 1800):
        ours, theirs = copy.hours(hour), known.hours(hour)
        assert (ours.current is None, ours.change_at) == (theirs.current is None, theirs.change_at), hour
    joined = with_openings(copy, [Opening(0, 5, "a"), Opening(5, 9, "b"), Opening(20, 20, "c")])
    assert joined.known == (Opening(0, 9, "a"),)
    assert past(None, "UTC", since, until).known == ()
