from __future__ import annotations

from poorwill.core.hours import OpeningHours

HOURS = OpeningHours("UTC", ((100.0, 200.0), (300.0, None)))


def test_the_next_opening_is_one_that_has_not_begun() -> None:
    assert HOURS.next_opening(99) == 100
    assert HOURS.next_opening(100) == 300
    assert HOURS.next_opening(300) is None
    assert OpeningHours("UTC").next_opening(0) is None


def test_what_is_over_is_not_ahead() -> None:
    assert HOURS.ahead(199) == HOURS.openings
    assert HOURS.ahead(200) == HOURS.openings[1:] == HOURS.ahead(1e9)
