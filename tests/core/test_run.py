from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from poorwill.core.cron import Cron
from poorwill.core.pattern import Starts
from poorwill.core.rule import Rule
from poorwill.core.run import Run

BERLIN = ZoneInfo("Europe/Berlin")
LINES = ["30 6 * * *", "30 2 * * *", "15 * * * *", "0 */6 * * 1-5", "0 0 L * *", "*/20 2 * * SUN"]


def run(line: str, **rule: object) -> Run:
    return Run("done", "run", Rule(line, Starts(Cron(line)), **rule), "Europe/Berlin")  # type: ignore[arg-type]


def wall(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def test_the_last_and_the_next() -> None:
    daily = run("30 6 * * *")
    assert daily.last_due(wall("2026-11-25T06:29:59")) == wall("2026-11-24T06:30")
    assert daily.last_due(wall("2026-11-25T06:30")) == wall("2026-11-25T06:30")
    assert daily.next_due(wall("2026-11-25T06:30")) == wall("2026-11-26T06:30")
    assert daily.text == "30 6 * * *"
    yearly = run("0 0 29 2 *")
    assert yearly.next_due(wall("2026-01-01T00:00")) == wall("2028-02-29T00:00")
    assert yearly.last_due(wall("2026-01-01T00:00")) == wall("2024-02-29T00:00")


def test_not_on_holidays_nor_closed_dates() -> None:
    rule = Rule("x", Starts(Cron("30 6 * * *")), holidays=("DE",))
    closed = Run("idle", "skip", rule, "Europe/Berlin", frozenset({date(2026, 12, 24)}))
    assert closed.next_due(wall("2026-12-23T12:00")) == wall("2026-12-27T06:30")
    assert closed.last_due(wall("2026-12-27T00:00")) == wall("2026-12-23T06:30")


def test_a_skipped_hour_and_a_repeated_one() -> None:
    """Berlin goes forward on 2026-03-29 and back on 2026-10-25."""
    night = run("30 2 * * *")
    assert night.due(wall("2026-03-28T12:00"), wall("2026-03-29T12:00")) == (wall("2026-03-29T03:00"),)
    assert night.due(wall("2026-10-24T12:00"), wall("2026-10-25T12:00")) == (wall("2026-10-25T02:30"),)
    hourly = run("0 * * * *")
    assert len(hourly.due(wall("2026-03-28T23:59"), wall("2026-03-29T23:59"))) == 23
    assert len(hourly.due(wall("2026-10-24T23:59"), wall("2026-10-25T23:59"))) == 25


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(LINES), st.integers(0, 400 * 86400), st.integers(0, 400 * 86400))
def test_last_and_next_enclose_the_moment_and_nothing_else(line: str, first: int, second: int) -> None:
    """Asked twice, so that the memo of the one may not answer the other."""
    daily = run(line)
    for seconds in (first, second):
        at = wall("2026-01-01T00:00") + seconds
        last, following = daily.last_due(at), daily.next_due(at)
        assert last is not None
        assert following is not None
        assert last <= at < following
        assert daily.due(last, following) == ()
        assert daily.due(last - 1, following + 1) == (last, following)
