"""Open is not active: what counts, judged from counters only."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.core.door import Traffic
from poorwill.core.traffic import BURST, QUIET_SPAN, Meter, Reading, drained, read, silent_at

KEEPALIVE = 1024


def metered(readings: Iterable[Reading], keepalive: int = KEEPALIVE) -> Meter:
    meter = Meter()
    for reading in readings:
        meter = read(meter, reading, keepalive)
    return meter


def idle_streams(streams: int, size: int, every: float, pace: float, until: float) -> Iterable[Reading]:
    """Readings of streams that each move ``size`` bytes every ``every`` seconds, all at the same moment."""
    steps = int(until / pace)
    for step in range(steps + 1):
        at = step * pace
        yield Reading(at, streams, 0, streams, int(at / every + 1e-9) * size * streams)


# --- what does not count ----------------------------------------------------------------------------


@given(
    streams=st.integers(1, 2_000),
    size=st.integers(1, BURST),
    slack=st.floats(1.0, 20.0),
    pace=st.sampled_from([0.06, 0.25, 1.0, 7.0, 60.0]),
)
def test_keepalives_never_count(streams: int, size: int, slack: float, pace: float) -> None:
    """As many streams as you like, as long as each stays below the allowed bytes per minute."""
    every = max(0.06, size * 60 / KEEPALIVE * slack)
    meter = metered(idle_streams(streams, size, every, pace, min(600.0, 400 * pace)))
    assert meter.last_activity is None


@pytest.mark.parametrize("streams", [1, 2, 50, 1_000])
@pytest.mark.parametrize(
    ("size", "every"),
    [
        pytest.param(6, 20.0, id="websocket ping and pong, RFC 6455"),
        pytest.param(14, 15.0, id="the comment line of an event stream"),
        pytest.param(70, 25.0, id="engine.io ping"),
        pytest.param(34, 10.0, id="an HTTP/2 ping and its answer"),
        pytest.param(BURST, 15.0, id="the largest that is allowed"),
    ],
)
def test_known_keepalives(streams: int, size: int, every: float) -> None:
    assert metered(idle_streams(streams, size, every, 1.0, 900.0)).last_activity is None


@given(st.lists(st.integers(0, 30), min_size=2, max_size=60), st.integers(1, BURST // 2))
def test_idle_streams_that_close_do_not_count(closing: list[int], size: int) -> None:
    """A hundred forgotten tabs, closed a few at a time: nobody is at work."""
    left, moved, readings = 100, 0, [Reading(0.0, 100, 0, 100, 0)]
    for second, gone in enumerate(closing, start=1):
        if second % 15 == 1:
            moved += left * size
        left = max(0, left - gone)
        readings.append(Reading(float(second), left, 0, 100, moved))
    assert metered(readings).last_activity is None


def test_an_open_silent_request_of_the_class_active_does_not_count() -> None:
    assert metered(Reading(float(t), 3, 0, 3, 5_000) for t in range(900)).last_activity is None


def test_requests_of_an_earlier_time_do_not_count() -> None:
    """The first reading after a restart of the control plane shows what was before."""
    assert (
        metered([Reading(0.0, 2, 0, 40_000, 10**9), Reading(1.0, 2, 0, 40_000, 10**9)]).last_activity is None
    )


# --- what counts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("streams", [1, 5, 20])
@pytest.mark.parametrize("rate", [25, 100, 4_000])
def test_a_slow_streaming_answer_counts(streams: int, rate: int) -> None:
    """One answer of a slow model (a word a second is 25 bytes) in each of the open streams."""
    begun = [Reading(float(t), streams, 0, streams, 0) for t in range(3)]
    answer = [Reading(3.0 + t, streams, 0, streams, t * rate * streams) for t in range(120)]
    meter = metered([*begun, *answer])
    assert meter.last_activity is not None
    assert meter.last_activity >= answer[-1].at - 60


def test_one_answer_among_silent_streams_counts() -> None:
    tabs, rate = 20, 1_500
    assert metered(Reading(float(t), tabs, 0, tabs, t * rate) for t in range(30)).last_activity is not None


def test_every_new_request_counts() -> None:
    meter = metered([Reading(0.0, 0, 0, 7, 0), Reading(1.0, 0, 0, 8, 0), Reading(2.0, 0, 0, 8, 0)])
    assert meter.last_activity == 1.0


def test_a_busy_request_counts_as_long_as_it_is_open() -> None:
    readings = [Reading(float(t), 0, 1, 1, 0) for t in range(100)] + [Reading(100.0, 0, 0, 1, 0)]
    assert metered(readings[:1]).last_activity == 0.0
    assert metered(readings).last_activity == 99.0


def test_a_burst_counts_at_once() -> None:
    quiet = [Reading(float(t), 1, 0, 1, 0) for t in range(3)]
    assert metered([*quiet, Reading(3.0, 1, 0, 1, BURST + 200)]).last_activity == 3.0


# --- an Envoy that was started again ----------------------------------------------------------------


@given(before=st.integers(1, 10**9), after=st.integers(0, 10**6))
def test_counters_that_start_again_count_from_zero(before: int, after: int) -> None:
    meter = metered([Reading(0.0, 5, 0, before, before), Reading(1.0, 0, 0, 0, 0)])
    assert meter.last_activity is None
    assert meter.quiet_since == 1.0
    meter = read(meter, Reading(2.0, 0, 0, after, 0), KEEPALIVE)
    assert meter.last_activity == (2.0 if after else None)


def test_bytes_that_start_again_are_not_negative() -> None:
    meter = metered([Reading(0.0, 1, 0, 1, 10**9), Reading(1.0, 1, 0, 1, 100), Reading(2.0, 1, 0, 1, 10**4)])
    assert meter.last_activity == 2.0


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 10**6), st.integers(0, 10**9)),
        max_size=30,
    ),
    st.integers(0, 10**6),
)
def test_any_readings_make_sense(rows: list[tuple[int, int, int, int]], keepalive: int) -> None:
    meter = Meter()
    for at, row in enumerate(rows):
        meter = read(meter, Reading(float(at), *row), keepalive)
        assert meter.level >= 0
        assert meter.last_activity is None or meter.last_activity <= at
        assert meter.quiet_since is None or not (row[0] or row[1])
        traffic = meter.traffic()
        assert (traffic.active, traffic.busy, traffic.read_at) == (row[0], row[1], float(at))


def test_a_clock_that_stands_still_is_no_trouble() -> None:
    assert metered([Reading(5.0, 1, 0, 1, 0), Reading(5.0, 1, 0, 1, 10)]).last_activity is None


def test_nothing_read_is_nothing_known() -> None:
    assert Meter().traffic() == Traffic()
    assert Meter(last_activity=3.0).traffic() == Traffic(last_activity=3.0)


# --- whether a stop would cut anything --------------------------------------------------------------

CLOSED, DRAIN, IDLE = 100.0, 30.0, 600.0


def over(**facts: object) -> bool:
    return drained(Traffic(**facts), CLOSED, DRAIN, IDLE)  # type: ignore[arg-type]


def silent_from(last_activity: float | None) -> float:
    return silent_at(Traffic(active=1, last_activity=last_activity), CLOSED, DRAIN, IDLE)


def test_without_a_reading_since_the_gate_closed_nothing_is_known() -> None:
    assert not over()
    assert not over(read_at=CLOSED - 0.001, quiet_since=0.0)
    assert not over(read_at=CLOSED - 0.001, active=1)


def test_nothing_open_in_two_readings_far_enough_apart() -> None:
    zero = {"quiet_since": CLOSED, "previous_at": CLOSED}
    assert not over(read_at=CLOSED, **zero)
    assert not over(read_at=CLOSED + QUIET_SPAN * 0.9, **zero)
    assert over(read_at=CLOSED + QUIET_SPAN * 1.1, **zero)


def test_the_first_reading_behind_the_closed_gate_proves_nothing() -> None:
    """However long it was quiet before: what came at the last moment may just be on its way."""
    quiet = {"quiet_since": CLOSED - 50, "read_at": CLOSED + 1}
    assert not over(previous_at=None, **quiet)
    assert not over(previous_at=CLOSED - 1, **quiet)
    assert over(previous_at=CLOSED + 0.5, **quiet)


def test_streams_that_never_moved_are_cut_after_the_drain() -> None:
    assert silent_from(None) == CLOSED + DRAIN
    assert not over(read_at=CLOSED + DRAIN - 0.01, active=2)
    assert over(read_at=CLOSED + DRAIN, active=2)


def test_streams_that_moved_are_cut_after_they_were_silent_for_the_idle_time() -> None:
    """A model that thinks for a minute before it goes on is at work."""
    assert silent_from(CLOSED + 40) == CLOSED + 40 + IDLE
    moved = {"active": 1, "last_activity": CLOSED + 40}
    assert not over(read_at=CLOSED + 40 + IDLE - 0.01, **moved)
    assert over(read_at=CLOSED + 40 + IDLE, **moved)


def test_they_have_the_drain_in_any_case() -> None:
    assert silent_from(CLOSED - 10 * IDLE) == CLOSED + DRAIN


def test_a_busy_request_is_waited_for_without_limit() -> None:
    assert not over(read_at=CLOSED + 10**6, busy=1)
    assert not over(read_at=CLOSED + 10**6, busy=1, active=5)
