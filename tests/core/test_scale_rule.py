"""For how long a rule has held."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.loads import inward, load, out, reading, seconds

from poorwill.core.load import Load
from poorwill.core.scale_rule import GAP, Deed, ScaleAction, ScaleRule, judge

SLOW: dict[str, Any] = {"latency": 4.0, "ended": 2, "open": 1}
QUICK: dict[str, Any] = {"latency": 0.5, "ended": 2, "open": 1}
STUCK: dict[str, Any] = {"open": 1}
IDLE: dict[str, Any] = {}


def fires(rule: ScaleRule, seen: Load, now: float, *, count: int = 1, changed_at: float = -1000.0) -> bool:
    return judge(rule, seen, count, changed_at, now).fires


def test_it_fires_when_it_has_held_for_its_duration_and_not_before() -> None:
    seen = seconds([QUICK] * 5 + [SLOW] * 15)
    assert not fires(out(), Load(seen.readings[:15]), 15.0)
    assert not fires(out(), Load(seen.readings[:15]), 15.999)
    assert fires(out(), Load(seen.readings[:16]), 16.0)
    verdict = judge(out(), Load(seen.readings[:12]), 1, -1000.0, 12.5)
    assert (verdict.value, verdict.since, verdict.due_at(-1000.0)) == (4.0, 6.0, 16.0)


def test_at_the_threshold_scale_in_holds_and_scale_out_does_not() -> None:
    seen = seconds([{"latency": 3.0}] * 20)
    assert not fires(out(threshold=3.0), seen, 20.0)
    assert fires(inward(threshold=3.0), seen, 20.0)


def test_one_other_second_ends_it() -> None:
    assert not fires(out(), seconds([SLOW] * 9 + [QUICK] + [SLOW] * 9), 19.0)


def test_a_longer_window_does_not_see_it() -> None:
    odd = seconds([SLOW] * 20 + [{"latency": 2.9}] + [SLOW] * 9)
    assert not fires(out(window=1.0), odd, 30.0)
    assert fires(out(window=5.0), odd, 30.0)


def test_seconds_in_which_nothing_ended_say_nothing_while_requests_are_open() -> None:
    assert fires(out(), seconds([SLOW] + [STUCK] * 4 + [SLOW] + [STUCK] * 5), 11.0)
    assert not fires(out(), seconds([STUCK] * 20), 20.0)  # nothing has ended yet: nobody can tell
    assert not fires(inward(), seconds([STUCK] * 20), 20.0)


def test_nothing_open_is_no_latency() -> None:
    assert not fires(out(), seconds([SLOW] * 10 + [IDLE] + [SLOW] * 5), 16.0)
    assert fires(inward(), seconds([SLOW] * 5 + [IDLE] * 11), 16.0)


def test_what_nobody_saw_does_not_count() -> None:
    short, long = [None] * 5, [None] * (int(GAP) + 3)
    assert fires(out(), seconds([SLOW] * 6 + short + [SLOW] * 2), 13.0)
    assert not fires(out(), seconds([SLOW] * 6 + long + [SLOW] * 2), 26.0)
    assert not fires(out(), load(), 10.0)


def test_readings_that_stopped_coming_are_a_trouble() -> None:
    verdict = judge(out(), seconds([SLOW] * 20), 1, -1000.0, 20.1 + GAP)
    assert not verdict.fires
    assert "nothing has been measured" in verdict.trouble


def test_a_source_that_is_gone_fires_nothing_and_says_so() -> None:
    seen = Load(seconds([{"gauges": {"cpu": 99.0}}] * 20).readings, {"cpu": "connection refused"})
    verdict = judge(out("cpu", 80.0), seen, 1, -1000.0, 20.0)
    assert not verdict.fires
    assert verdict.trouble == "cpu cannot be read: connection refused"
    assert fires(out("concurrency", 0.0), Load(seconds([{"open": 1}] * 20).readings, seen.troubles), 20.0)


def test_a_gauge_without_a_value_for_long_is_a_trouble() -> None:
    hot, none = {"gauges": {"cpu": 99.0}}, dict[str, Any]()
    assert fires(out("cpu", 80.0), seconds([hot, none, none, none] * 5), 20.0)
    verdict = judge(out("cpu", 80.0), seconds([hot] * 20 + [none] * (int(GAP) + 2)), 1, -1000.0, 22.0 + GAP)
    assert (verdict.fires, verdict.trouble) == (False, "cpu has no value")


def test_the_duration_counts_anew_from_each_change() -> None:
    seen = seconds([SLOW] * 40)
    assert not fires(out(), seen, 40.0, changed_at=30.5)
    assert fires(out(), seen, 40.0, changed_at=30.0)
    assert judge(out(), seen, 1, 35.5, 40.0).since == 35.5
    assert judge(out(), seen, 1, 40.0, 40.0).since is None


def test_with_a_cooldown_it_only_rests() -> None:
    seen = seconds([SLOW] * 40)
    assert not fires(out(cooldown=5.0), seen, 40.0, changed_at=35.5)
    assert fires(out(cooldown=5.0), seen, 40.0, changed_at=35.0)
    assert judge(out(cooldown=5.0), seen, 1, 35.5, 40.0).due_at(35.5) == 40.5


def test_per_instance_is_divided_by_the_number_of_instances() -> None:
    seen = seconds([{"open": 12}] * 20)
    assert fires(out("concurrency", 5.0, per_instance=True), seen, 20.0, count=2)
    assert not fires(out("concurrency", 5.0, per_instance=True), seen, 20.0, count=3)
    assert fires(out("concurrency", 5.0), seen, 20.0, count=3)


def test_requests_in_the_duration() -> None:
    some, none = {"begun": 3}, dict[str, Any]()
    assert not fires(inward("request_count", 0), seconds([some] + [none] * 9), 10.0)
    assert fires(inward("request_count", 0), seconds([some] + [none] * 10), 11.0)
    assert fires(inward("request_count", 30), seconds([some] * 12), 12.0)
    assert not fires(inward("request_count", 29), seconds([some] * 12), 12.0)
    assert fires(out("request_count", 5), seconds([none] * 8 + [some] * 2), 10.0)  # known at once
    assert not fires(out("request_count", 6), seconds([none] * 8 + [some] * 2), 10.0)


def test_no_requests_in_a_time_that_nobody_watched_is_not_known() -> None:
    none = dict[str, Any]()
    assert not fires(inward("request_count", 0), seconds([none] * 9), 9.0)
    rule = inward("request_count", 0, duration=60.0)
    assert not fires(rule, seconds([none] * 30 + [None] * 20 + [none] * 30), 80.0)
    assert fires(rule, seconds([none] * 61), 61.0)


def test_a_long_reading_knows_what_was_counted_in_it_but_not_how_it_was_all_the_time() -> None:
    long = load(reading(1, open=9), reading(40, span=39.0, begun=0, open=9), reading(41, open=9))
    assert fires(inward("request_count", 0, duration=30.0), long, 41.0)
    assert not fires(out("concurrency", 5.0, duration=39.0), long, 41.0)


@pytest.mark.parametrize(
    ("action", "count", "after"),
    [
        (ScaleAction(Deed.ADD, 2), 1, 3),
        (ScaleAction(Deed.REMOVE, 2), 5, 3),
        (ScaleAction(Deed.REMOVE, 9), 5, 1),
        (ScaleAction(Deed.REMOVE_ALL, 0), 5, 0),
        (ScaleAction(Deed.SET, 3), 5, 3),
    ],
)
def test_what_an_action_leaves(action: ScaleAction, count: int, after: int) -> None:
    assert action.from_(count) == after


@given(st.lists(st.sampled_from([SLOW, QUICK, STUCK, IDLE, None]), min_size=1, max_size=40))
def test_it_never_fires_when_a_second_of_its_duration_was_otherwise(
    values: list[dict[str, Any] | None],
) -> None:
    now = float(len(values))
    since = int(now - 10)
    quick = any(value in (QUICK, IDLE) for value in values[max(0, since) :])
    if quick or since < 0:
        assert not fires(out(), seconds(values), now)
    if all(value == SLOW for value in values[max(0, since - 1) :]) and since >= 1:
        assert fires(out(), seconds(values), now)
