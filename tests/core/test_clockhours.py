"""The hours of a clock on the wall, above all on the days when it is set."""

from __future__ import annotations

import itertools
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from poorwill.core.clockhours import clock_hours


def at(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("zone", "first", "last", "shown", "hours"),
    [
        ("Europe/Berlin", "2026-10-25", "2026-10-26", [0, 1, 2, 2, *range(3, 24)], 25),
        ("Europe/Berlin", "2026-03-29", "2026-03-30", [0, 1, *range(3, 24)], 23),
        ("Asia/Shanghai", "2026-10-25", "2026-10-26", list(range(24)), 24),
        ("Asia/Kathmandu", "2026-10-25", "2026-10-26", list(range(24)), 24),  # 5 h 45 min
        # Half an hour back at 02:00: the second half of the hour from 1 comes twice.
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-06", [0, 1, 1, *range(2, 24)], 24.5),
        # Half an hour on at 02:00: the hour from 2 has its second half only.
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-05", list(range(24)), 23.5),
    ],
)
def test_a_day(zone: str, first: str, last: str, shown: list[int], hours: float) -> None:
    found = list(clock_hours(at(first, zone), at(last, zone), zone))
    assert [one.hour for one in found] == shown
    assert sum(one.stop - one.start for one in found) == hours * 3600
    assert all(one.stop == after.start for one, after in itertools.pairwise(found))
    assert {one.weekday for one in found} == {datetime.fromisoformat(first).weekday()}


def test_the_edges_are_cut() -> None:
    found = list(clock_hours(at("2026-10-05T09:20", "UTC"), at("2026-10-05T11:30", "UTC"), "UTC"))
    assert [(one.hour, one.stop - one.start) for one in found] == [(9, 2400), (10, 3600), (11, 1800)]
