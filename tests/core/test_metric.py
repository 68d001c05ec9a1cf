"""What a metric was over a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.loads import reading

from poorwill.core.load import Reading
from poorwill.core.metric import METRICS, Metric, Unit, moments, quantile
from poorwill.core.metric_text import value_text


def newest(readings: list[Reading], name: str, window: float = 10.0, percentile: float = 0.0) -> float | None:
    return next(moments(readings, METRICS[name], window, percentile)).value


def test_latency_is_the_mean_of_the_requests_and_not_of_the_seconds() -> None:
    readings = [reading(1, latency=1.0, ended=9), reading(2, latency=11.0, ended=1)]
    assert newest(readings, "response_latency") == 2.0
    assert newest(readings, "response_latency", window=1.0) == 11.0


def test_nothing_ended_is_no_latency_while_somebody_waits_and_none_at_all_when_nobody_does() -> None:
    assert newest([reading(1, latency=9.0), reading(2, open=1)], "response_latency", 1.0) is None
    assert newest([reading(1, latency=9.0), reading(2)], "response_latency", 1.0) == 0.0
    assert newest([reading(1, queued=1)], "error_rate") is None
    assert newest([reading(1)], "error_rate") == 0.0


def test_concurrency_counts_those_that_wait_and_queue_and_held_are_apart() -> None:
    readings = [reading(1, open=1, queued=2, held=3), reading(2, open=5, queued=6, held=7)]
    assert newest(readings, "concurrency") == 12.0
    assert newest(readings, "queue_length") == 4.0
    assert newest(readings, "held_requests") == 5.0


def test_rates() -> None:
    readings = [reading(1, begun=10, ended=3, errors=1), reading(4, span=3.0, begun=2, ended=1)]
    assert newest(readings, "request_rate") == 3.0
    assert newest(readings, "error_rate") == 25.0


def test_a_gauge_is_averaged_where_it_has_a_value() -> None:
    mine = Metric("mine")
    readings = [reading(1, gauges={"mine": 4.0}), reading(2), reading(3, gauges={"mine": nan})]
    values = [moment.value for moment in moments(readings, mine, 10.0)]
    assert values == [4.0, 4.0, 4.0]
    assert next(moments(readings, mine, 1.0)).value is None


def test_percentiles_lie_evenly_within_their_bucket() -> None:
    spread = Counter({0.5: 50.0, 1.0: 50.0})
    assert quantile(spread, 50) == 0.5
    assert quantile(spread, 75) == 0.75
    assert quantile(spread, 99) == pytest.approx(0.99)
    assert quantile(Counter({1.0: 1.0, inf: 9.0}), 90) == 1.0
    assert quantile(Counter(), 90) is None
    assert quantile(Counter({1.0: 0.0}), 90) is None


def test_a_percentile_is_of_the_window() -> None:
    readings = [
        Reading(1.0, 1.0, ended=1, seconds=9.0, took=((1.0, 0), (10.0, 1))),
        Reading(2.0, 1.0, ended=1, seconds=1.0, took=((1.0, 1),)),
    ]
    values = [moment.value for moment in moments(readings, METRICS["response_latency"], 1.0, 50)]
    assert values == [0.5, 5.5]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30),
    st.integers(1, 12),
)
def test_each_value_is_what_its_own_readings_say(counts: list[tuple[int, int, int]], window: int) -> None:
    """However the sums are made: the same as from scratch, for each window."""
    readings = [reading(at, begun=b, open=o, queued=q) for at, (b, o, q) in enumerate(counts)]
    looks: dict[str, Callable[[Reading], int]] = {
        "request_rate": lambda one: one.begun,
        "concurrency": lambda one: one.open + one.queued,
    }
    for name, what in looks.items():
        for moment in moments(readings, METRICS[name], window):
            inside = [what(one) for one in readings if moment.at - window < one.at <= moment.at]
            assert moment.value == pytest.approx(sum(inside) / len(inside))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(0, 30))
def test_what_is_of_no_interest_changes_nothing(counts: list[int], back_to: int) -> None:
    readings = [reading(at, begun=count) for at, count in enumerate(counts)]
    rate = METRICS["request_rate"]
    everything = [one for one in moments(readings, rate, 5.0) if one.at >= back_to]
    assert [one for one in moments(readings, rate, 5.0, back_to=back_to) if one.at >= back_to] == everything


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (4.236, Unit.SECONDS, "4.24s"),
        (120.4, Unit.SECONDS, "120s"),
        (0.25, Unit.SECONDS, "250ms"),
        (0, Unit.SECONDS, "0s"),
        (80.0, Unit.PERCENT, "80%"),
        (2.5, Unit.PER_SECOND, "2.5/s"),
        (20e9, Unit.BYTES, "20GB"),
        (999, Unit.BYTES, "999B"),
        (12345, Unit.COUNT, "12345"),
        (0.333333, Unit.NUMBER, "0.333"),
    ],
)
def test_values_in_words(value: float, unit: Unit, text: str) -> None:
    assert value_text(value, unit) == text
