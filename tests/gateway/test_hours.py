"""Opening hours as sentences and rows: what is on which day, across midnights and change days."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.opening import NOW, OFFICE, at, hours

from poorwill.core.hours import OpeningHours
from poorwill.gateway import hours as told
from poorwill.gateway.words import words

EN, ZH = words("en"), words("zh")


def plain(text: str) -> str:
    return re.sub(r"<[^>]*>", "", text)


def table(hours: OpeningHours, wall: float = NOW, language: str = "en") -> dict[str, list[str]]:
    return {row.label: [*map(plain, row.spans)] for row in told.rows(words(language), hours, wall)}


def test_a_week_begins_today() -> None:
    assert table(OFFICE) == {
        "Today": [],
        "Tomorrow": ["09:00–18:00"],
        "Fri 27 Nov": ["09:00–18:00"],
        "Sat 28 Nov": [],
        "Sun 29 Nov": [],
        "Mon 30 Nov": ["09:00–18:00"],
        "Tue 1 Dec": ["09:00–18:00"],
    }
    assert [*table(OFFICE, language="zh")][:3] == ["今天", "明天", "11月27日 周五"]


def test_what_goes_past_midnight_stands_where_it_begins() -> None:
    night = hours(("1 22:00", "2 02:00"))
    assert table(night)["Tomorrow"] == ["22:00–02:00"]
    assert table(night)["Fri 27 Nov"] == []
    assert table(night, at("2 01:00"))["Today"] == ["00:00–02:00"], "its beginning is not on the page"


def test_days_without_an_end_are_told_day_by_day() -> None:
    weekend = hours(("2 18:00", "5 08:00"))
    assert [*table(weekend).values()] == [
        [],
        [],
        ["18:00–24:00"],
        ["00:00–24:00"],
        ["00:00–24:00"],
        ["00:00–08:00"],
        [],
    ]


def test_an_end_that_nobody_knows() -> None:
    report = hours(("1 06:30", None))
    assert table(report)["Tomorrow"] == ["from 06:30"]
    assert table(report, at("2 06:00"))["Today"] == ["open"]
    assert sum(map(len, table(report, at("2 06:00")).values())) == 1


def test_two_on_one_day_and_what_is_over() -> None:
    split = hours(("0 09:00", "0 12:00"), ("1 09:00", "1 12:00"), ("1 14:00", "2 00:00"))
    assert table(split)["Today"] == []
    assert table(split)["Tomorrow"] == ["09:00–12:00", "14:00–24:00"]


def test_a_change_day_has_its_own_length() -> None:
    """Berlin, 28 March 2027: from 02:00 it is 03:00 at once."""
    days = 123
    whole = hours((f"{days} 00:00", f"{days + 1} 00:00"), zone="Europe/Berlin")
    rows = table(whole, at(f"{days - 1} 12:00", "Europe/Berlin"))
    assert rows["Tomorrow"] == ["00:00–24:00"]
    assert [*rows][2] == "Mon 29 Mar"


@pytest.mark.parametrize(
    ("wall", "sentence", "chinese"),
    [
        ("0 20:00", "It opens tomorrow at 09:00.", "明天 09:00 开放。"),
        ("1 00:00", "It opens today at 09:00.", "今天 09:00 开放。"),
        ("2 18:00", "It opens on Mon 30 Nov at 09:00.", "11月30日 周一 09:00 开放。"),
        ("6 09:00", "Nobody has planned yet when it opens again.", "下次开放时间尚未确定。"),
    ],
)
def test_when_it_opens_next(wall: str, sentence: str, chinese: str) -> None:
    assert plain(told.opening(EN, OFFICE, at(wall))) == sentence
    assert plain(told.opening(ZH, OFFICE, at(wall))) == chinese


def test_moments_can_be_read_by_machines() -> None:
    assert '<time datetime="2026-11-26T09:00+08:00">09:00</time>' in told.opening(EN, OFFICE, NOW)
    assert told.as_json(hours(("1 09:00", "1 18:00"), ("2 06:30", None)), NOW) == {
        "next_opening": "2026-11-26T09:00:00+08:00",
        "opening_hours": [
            {"opens": "2026-11-26T09:00:00+08:00", "closes": "2026-11-26T18:00:00+08:00"},
            {"opens": "2026-11-27T06:30:00+08:00", "closes": None},
        ],
        "time_zone": "Asia/Shanghai",
    }
    assert told.as_json(None, NOW) == {"next_opening": None, "opening_hours": [], "time_zone": None}


@pytest.mark.parametrize(
    ("hours", "wall", "seconds"),
    [
        (None, "0 20:00", 86_400),
        (hours(), "0 20:00", 86_400),
        (OFFICE, "0 20:00", 13 * 3600),
        (OFFICE, "1 12:00", 10),
        (hours(("0 20:00", "0 21:00")), "0 20:00", 10),
    ],
)
def test_when_to_ask_again(hours: OpeningHours | None, wall: str, seconds: int) -> None:
    assert told.wait(hours, at(wall)) == seconds
    assert told.wait(OFFICE, at("1 09:00") - 0.001) == 1


offsets = st.floats(-3 * 86_400, 9 * 86_400)


@given(
    st.lists(st.tuples(offsets, st.none() | st.floats(1, 9 * 86_400)), max_size=5),
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "UTC"]),
)
def test_any_plan_makes_a_week(openings: list[tuple[float, float | None]], zone: str) -> None:
    """Seven different days, and something on one of them when the plan has anything for them."""
    plan = OpeningHours(
        zone,
        tuple((NOW + start, None if length is None else NOW + start + length) for start, length in openings),
    )
    rows = told.rows(EN, plan, NOW)
    assert len(rows) == told.DAYS == len({row.label for row in rows})
    assert any(row.spans for row in rows) or not any(
        start < NOW + 6 * 86_400 and (stop is None or stop > NOW + 1) for start, stop in plan.openings
    )
    assert told.wait(plan, NOW) >= 1
