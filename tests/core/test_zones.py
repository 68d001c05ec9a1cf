"""The days on which the clocks change, in every zone of the database, for ten years."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from tests.core.zones import DAY, FIRST, LAST, Clock, clocks, expected

from poorwill.core.cron import Cron
from poorwill.core.localtime import at, start_of
from poorwill.core.pattern import Pair, Pattern, Spell, Weekly
from poorwill.core.rule import Rule
from poorwill.core.schedule import Timetable

WINDOWS = [
    "02:10-02:50",
    "23:30-00:30",
    "09:00-18:00",
    "01:30-04:00",
    "00:00-01:00",
    "02:00-03:00",
    "12:00-11:00",
]
ALL_DAYS = [FIRST + n * DAY for n in range((LAST - FIRST).days)]


def _minutes(window: str) -> tuple[int, int]:
    start, stop = (int(time[:2]) * 60 + int(time[3:]) for time in window.split("-"))
    return start, stop if stop > start else stop + 1440


def _pattern(start: int, stop: int, kind: str) -> Pattern:
    if kind == "hours":
        return Weekly((Spell(frozenset(range(7)), start, stop),))
    lines = [Cron(f"{minute % 60} {minute % 1440 // 60} * * *") for minute in (start, stop)]
    return Pair(*lines)


def _zones() -> list[tuple[Clock, str]]:
    return [(clock, zones[0]) for clock, zones in clocks().items()]


def test_what_the_zones_of_the_database_do() -> None:
    assert sum(len(zones) for zones in clocks().values()) > 500
    changing = [clock for clock in clocks() if clock.changes]
    assert len(changing) > 20
    steps = {abs(after - clock.offset_at(at - 1)) for clock in changing for at, after in clock.changes}
    assert steps >= {1800, 3600, 7200}


@pytest.mark.slow
def test_no_window_is_lost_or_doubled_in_ten_years() -> None:
    start, stop = _minutes(WINDOWS[0])
    for clock, zone in _zones():
        _check(clock, zone, _pattern(start, stop, "hours"), ALL_DAYS, (start, stop))


@pytest.mark.parametrize("kind", ["hours", "cron"])
@pytest.mark.parametrize("window", WINDOWS)
def test_around_every_change_of_the_clocks(window: str, kind: str) -> None:
    start, stop = _minutes(window)
    for clock, zone in _zones():
        _check(clock, zone, _pattern(start, stop, kind), _around_changes(clock), (start, stop))


def _check(clock: Clock, zone: str, pattern: Pattern, days: list[date], window: tuple[int, int]) -> None:
    """One window for each day, where a look at the clock says it is, and none overlaps the next."""
    last_stop = 0.0
    for day in days:
        spans = [span for found in pattern.on(day) for span in pattern.spans(found, zone)]
        assert spans == [expected(clock, day, *window)], (zone, day)
        ((begins, ends),) = spans
        assert last_stop <= begins < ends, (zone, day)
        assert ends - begins == (window[1] - window[0]) * 60 or clock.near(day)[1], (zone, day)
        last_stop = ends


def _around_changes(clock: Clock) -> list[date]:
    """The days on which the clocks change with their neighbours, and one where they never do."""
    found = {
        datetime.fromtimestamp(at, UTC).date() + n * DAY for at, _ in clock.changes for n in (-2, -1, 0, 1, 2)
    }
    return sorted(found) or [FIRST]


def test_the_timetable_has_the_same_windows() -> None:
    """Around every change, for the windows that meet it; each stays a window of its own."""
    for window in ("02:10-02:50", "23:30-00:30", "00:00-01:00"):
        start, stop = _minutes(window)
        for clock, zone in _zones():
            timetable = Timetable(zone, (Rule(window, _pattern(start, stop, "hours")),))
            for instant, _ in clock.changes[:4]:
                day = datetime.fromtimestamp(instant, UTC).date() - 2 * DAY
                found = timetable.openings(start_of(at(day, start), zone), 4)
                spans = [(opening.start, opening.stop) for opening in found]
                assert spans[:4] == [expected(clock, day + n * DAY, start, stop) for n in range(4)], (
                    zone,
                    day,
                )


def test_the_oracle_can_tell() -> None:
    """Berlin, spring 2027: the hour from 02:00 to 03:00 is skipped."""
    clock = next(clock for clock, zones in clocks().items() if "Europe/Berlin" in zones)
    day, one = date(2027, 3, 28), datetime(2027, 3, 28, 1, tzinfo=UTC).timestamp()
    assert expected(clock, day, 130, 170) == (one, one + 40 * 60)
    assert expected(clock, day, 90, 170) == (one - 1800, one + 50 * 60)
    assert expected(clock, day, 130, 200) == (one, one + 20 * 60)
    autumn = date(2027, 10, 31)
    first, last = expected(clock, autumn, 130, 200)
    assert last - first == (70 + 60) * 60
