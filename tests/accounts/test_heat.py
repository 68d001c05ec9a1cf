"""The heat map, above all where hours are not like others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.timetables import wall

from poorwill.accounts.heat import heat, whole_hours
from poorwill.core.period import Per, period_of
from poorwill.core.spans import total, union

BERLIN = "Europe/Berlin"
OCTOBER = period_of(Per.MONTH, wall("2026-10-10"), BERLIN)


def at(text: str) -> float:
    return wall(f"2026-10-{text}", BERLIN)


def test_a_share_is_of_the_hours_that_there_were() -> None:
    """Five Thursdays: used half an hour on each is as much as half an hour on each of four Mondays."""
    thursdays = [(at(f"{day:02} 09:00"), at(f"{day:02} 09:30")) for day in (1, 8, 15, 22, 29)]
    mondays = [(at(f"{day:02} 09:30"), at(f"{day:02} 10:00")) for day in (5, 12, 19, 26)]
    found = heat([*thursdays, *mondays], [], OCTOBER.start, OCTOBER.stop, BERLIN)
    assert found[3][9].use == found[0][9].use == 0.5
    assert found[3][9].seconds == 5 * 3600
    assert sum(cell.used for day in found for cell in day) == 9 * 1800


def test_the_hour_that_comes_twice() -> None:
    """On Sunday the 25th the clocks show 02:30 twice: used through both, and on no other Sunday."""
    first = at("25 02:00")
    found = heat([(first, first + 7200)], [], OCTOBER.start, OCTOBER.stop, BERLIN)
    assert found[6][2].seconds == 5 * 3600  # four Sundays, one of them with two
    assert found[6][2].used == 7200
    assert found[6][3].used == 0


def test_half_an_hour_that_was_used_is_all_of_it() -> None:
    found = heat([(at("05 12:00"), at("05 12:30"))], [], OCTOBER.start, at("05 12:30"), BERLIN)
    assert (found[0][12].seconds, found[0][12].use) == (1800, 1.0)


def test_an_hour_that_has_not_been_yet() -> None:
    found = heat([], [], OCTOBER.start, at("05 12:00"), BERLIN)
    assert found[1][9].seconds == 0
    assert found[1][9].use == found[1][9].waste == 0.0


def test_whole_hours() -> None:
    spans = [(at("05 09:10"), at("05 12:00")), (at("06 09:00"), at("06 09:59"))]
    found = whole_hours(spans, OCTOBER.start, OCTOBER.stop, BERLIN)
    assert [(one.weekday, one.hour) for one in found] == [(0, 10), (0, 11)]


MOMENTS = st.integers(int(OCTOBER.start) - 9000, int(OCTOBER.stop) + 9000)


@settings(max_examples=25)
@given(st.lists(st.tuples(MOMENTS, st.integers(0, 200_000)), max_size=5))
def test_nothing_is_lost_and_nothing_counted_twice(found: list[tuple[int, int]]) -> None:
    spans = [(float(start), float(start + length)) for start, length in found]
    cells = [cell for day in heat(spans, spans, OCTOBER.start, OCTOBER.stop, BERLIN) for cell in day]
    inside = [(max(start, OCTOBER.start), min(end, OCTOBER.stop)) for start, end in union(spans)]
    expected = total([span for span in inside if span[0] < span[1]])
    assert sum(cell.used for cell in cells) == pytest.approx(expected)
    assert sum(cell.seconds for cell in cells) == 31 * 86_400 + 3600
    assert all(cell.used <= cell.seconds and cell.used == cell.empty for cell in cells)
