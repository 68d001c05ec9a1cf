"""Hours to come as a person says them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from poorwill.config.during import parse_during
from poorwill.errors import BadInput

BERLIN = "Europe/Berlin"
NOW = "2026-11-25 12:00"
"""A Wednesday."""


def wall(text: str, zone: str = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("Saturday 10:00-14:00", "2026-11-28 10:00", "2026-11-28 14:00"),
        ("sat 10-14", "2026-11-28 10:00", "2026-11-28 14:00"),
        ("SAT, 10:00 to 14:00", "2026-11-28 10:00", "2026-11-28 14:00"),
        ("Saturday 10:00 \N{EN DASH} 14:00", "2026-11-28 10:00", "2026-11-28 14:00"),
        ("tomorrow 9-12", "2026-11-26 09:00", "2026-11-26 12:00"),
        ("today 13:30-14", "2026-11-25 13:30", "2026-11-25 14:00"),
        ("13:30-14", "2026-11-25 13:30", "2026-11-25 14:00"),
        ("11:00-12:30", "2026-11-25 11:00", "2026-11-25 12:30"),  # under way
        ("2026-11-28 22:00-02:00", "2026-11-28 22:00", "2026-11-29 02:00"),
        ("22:00-24:00", "2026-11-25 22:00", "2026-11-26 00:00"),
        ("Wed 13-14", "2026-11-25 13:00", "2026-11-25 14:00"),
        ("Wed 9-10", "2026-12-02 09:00", "2026-12-02 10:00"),  # over today
        ("Tue 9-10", "2026-12-01 09:00", "2026-12-01 10:00"),
    ],
)
def test_what_is_meant(text: str, start: str, stop: str) -> None:
    assert parse_during(text, BERLIN, wall(NOW)) == (wall(start), wall(stop))


def test_hours_that_began_yesterday_and_go_on() -> None:
    assert parse_during("Tue 22:00-02:00", BERLIN, wall("2026-11-25 01:00")) == (
        wall("2026-11-24 22:00"),
        wall("2026-11-25 02:00"),
    )


def test_the_day_is_that_of_the_zone() -> None:
    moment = wall("2026-11-26 01:00", "Asia/Shanghai")  # still Wednesday in Berlin
    assert parse_during("today 9-12", "Asia/Shanghai", moment)[0] == wall("2026-11-26 09:00", "Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "hours"), [("2027-03-28 00:00-06:00", 5), ("2026-10-25 00:00-06:00", 7), ("2027-01-03 0-6", 6)]
)
def test_days_on_which_the_clocks_change(text: str, hours: int) -> None:
    start, stop = parse_during(text, BERLIN, wall("2026-10-01 00:00"))
    assert (stop - start) / 3600 == hours


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not understood"),
        ("Saturday", "is not understood"),
        ("Saturday 10", "is not understood"),
        ("from 9 to 12 o'clock", "is not understood"),
        ("Caturday 10-14", "is no day"),
        ("su 10-14", "is no day"),
        ("2026-13-01 10-14", "is no day"),
        ("25-26", "is no time of day"),
        ("10:60-11", "is no time of day"),
        ("today 24:30-25", "is no time of day"),
        ("today 9-10", "is over already"),
        ("2026-11-24 9-10", "is over already"),
    ],
)
def test_what_cannot_be_meant(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as raised:
        parse_during(text, BERLIN, wall(NOW))
    assert "Saturday 10:00-14:00" in raised.value.hint
