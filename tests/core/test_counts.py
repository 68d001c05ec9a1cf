"""Two looks at counters, and what was done between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poorwill.core.counts import Counts, Meter, buckets, read, seconds
from poorwill.core.load import Reading

FAST, SLOW = (0.010, 0.011), (3.0, 3.1)


def after(*looks: Counts) -> list[Reading]:
    meter, readings = Meter(), []
    for look in looks:
        meter, reading = read(meter, look, {})
        readings += [reading] if reading else []
    return readings


def test_the_first_look_only_says_where_the_counters_stand() -> None:
    assert after(Counts(1.0, begun=1000, ended=900, took={FAST: 800})) == []


def test_what_was_done_is_the_difference() -> None:
    before = Counts(1.0, begun=10, ended=9, errors=1, took={FAST: 8})
    [reading] = after(before, Counts(2.5, 13, 12, 2, {FAST: 9, SLOW: 1}, open=1, queued=2, held=4))
    assert (reading.at, reading.span) == (2.5, 1.5)
    assert (reading.begun, reading.ended, reading.errors) == (5, 3, 1), "who waits for a slot has come"
    assert (reading.open, reading.queued, reading.held) == (1, 2, 4)
    assert reading.seconds == pytest.approx(0.0105 + 3.05)
    assert reading.took == ((0.010, 0), (0.011, 1), (3.0, 0), (3.2, 1))
    assert reading.timed == 2


def test_a_new_envoy_counts_from_zero() -> None:
    before = Counts(1.0, begun=50, ended=50, errors=7, took={FAST: 40, SLOW: 3}, left=8, cancelled=9)
    [reading] = after(before, Counts(2.0, 4, 3, 1, {FAST: 2}, open=1, left=8))
    assert (reading.begun, reading.ended, reading.errors, reading.timed) == (4, 3, 1, 2)


def test_who_gives_up_in_the_line_has_come_all_the_same() -> None:
    looks = (
        Counts(1.0),
        Counts(2.0, begun=1, queued=5),
        Counts(3.0, begun=1, queued=2, left=3),
        Counts(4.0, begun=5, queued=0, left=3),
        Counts(5.0, begun=5, queued=1, left=7, cancelled=2),
    )
    assert [one.begun for one in after(*looks)] == [6, 0, 2, 7]


def test_who_is_on_the_way_from_the_line_to_envoy_is_not_taken_for_somebody_new() -> None:
    looks = (Counts(1.0), Counts(2.0, queued=5), Counts(3.0, begun=1, queued=2), Counts(4.0, begun=4))
    assert [one.begun for one in after(*looks)] == [5, 0, 0]


STEPS = st.lists(
    st.sampled_from(["comes", "is let go", "arrives", "gives up", "cancels", "look"]), max_size=60
)


DEEDS = ["comes", "is let go", "arrives", "gives up", "cancels", "look"]


@given(st.lists(st.sampled_from(DEEDS), max_size=60))
def test_each_who_comes_is_counted_once_however_it_ends(steps: list[str]) -> None:
    """Of those who come through the line; with the last look nobody is on the way any more."""
    came = queued = on_the_way = begun = left = cancelled = 0
    looks = [Counts(0.0)]
    for step in [*steps, *["arrives"] * len(steps), "look"]:
        match step:
            case "comes":
                came, queued = came + 1, queued + 1
            case "is let go" if queued:
                queued, on_the_way = queued - 1, on_the_way + 1
            case "arrives" if on_the_way:
                on_the_way, begun = on_the_way - 1, begun + 1
            case "gives up" if queued:
                queued, left = queued - 1, left + 1
            case "cancels" if on_the_way:
                on_the_way, cancelled = on_the_way - 1, cancelled + 1
            case "look":
                looks.append(Counts(looks[-1].at + 1, begun, queued=queued, left=left, cancelled=cancelled))
    readings = after(*looks)
    assert sum(one.begun for one in readings) == came
    assert all(one.begun >= 0 for one in readings)


def test_time_in_the_line_counts_as_time_of_those_who_stood_there() -> None:
    before, there = Counts(1.0), Counts(2.0, 4, 4, took={FAST: 4}, lined=2, waited=5.0)
    [reading] = after(before, there)
    assert reading.seconds == pytest.approx(4 * 0.0105 + 5.0)
    assert reading.took == ((0.010, 0), (0.011, 2), (2.4, 0), (2.6, 2))


def test_a_long_answer_gets_its_time_in_the_line_when_it_ends() -> None:
    went = Counts(2.0, 1, lined=1, waited=5.0, open=1)
    before, nothing, done = after(
        Counts(1.0), went, Counts(3.0, 1, lined=1, waited=5.0), Counts(9.0, 1, 1, 0, {SLOW: 1}, 1, 5.0)
    )
    assert (before.seconds, nothing.seconds) == (0.0, 0.0)
    assert done.seconds == pytest.approx(8.05)


SPANS = st.tuples(st.integers(1, 99), st.integers(1, 9)).map(
    lambda one: (one[0] / 10, (one[0] + one[1]) / 10)
)


@given(st.dictionaries(SPANS, st.integers(1, 50)), st.integers(0, 100), st.floats(0, 100))
def test_nobody_is_lost_or_made_up_when_the_line_is_added(
    took: dict[tuple[float, float], int], lined: int, waited: float
) -> None:
    timed = sum(took.values())
    [reading] = after(Counts(1.0), Counts(2.0, timed, timed, 0, took, lined, waited if lined else 0.0))
    assert reading.timed == timed
    assert reading.seconds >= seconds(took) - 1e-6
    assert list(reading.took) == sorted(reading.took)
    if lined <= timed:
        assert reading.seconds == pytest.approx(seconds(took) + (waited if lined else 0.0))


def test_a_gap_between_buckets_is_told_apart_from_a_wide_bucket() -> None:
    assert buckets({(0.0, 0.001): 3, (0.001, 0.0011): 1, (0.3, 0.31): 2}) == (
        (0.001, 3),
        (0.0011, 1),
        (0.3, 0),
        (0.32, 2),
    )


@given(st.floats(0.001, 100_000))
def test_a_bucket_holds_what_is_put_in_and_is_narrow(value: float) -> None:
    rows = buckets({(value, value): 1})
    start, end = (0.0, rows[0][0]) if len(rows) == 1 else (rows[0][0], rows[1][0])
    assert start - 1e-6 <= value <= end + 1e-6
    assert end - start <= 0.1 * end + 2e-6 or end == 0.001


def test_buckets_leave_no_gap_between_them() -> None:
    units = (0.0001, 0.001, 0.01)
    spans = {(low * unit, (low + 1) * unit): 1 for unit in units for low in range(10, 100)}
    rows = buckets(spans)
    assert rows[0] == (0.001, 0)
    assert all(count for _, count in rows[1:]), "an empty bucket would stand for a gap"
    assert sum(count for _, count in rows) == 270
    assert len(rows) < 120
