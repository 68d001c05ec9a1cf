"""The forecast of a period's end, by its stated method."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.timetables import wall

from poorwill.core.forecast import Method, forecast, past_days
from poorwill.core.period import Per, period_of

ZONE = "Europe/Berlin"
NOON = wall("2026-11-25 12:00", ZONE)
MONTH = period_of(Per.MONTH, NOON, ZONE)


def four_weeks(weekday: str, weekend: str = "0") -> dict[date, Decimal]:
    days = past_days(NOON, ZONE, 0.0)
    return {day: Decimal(weekday if day.weekday() < 5 else weekend) for day in days}


def test_by_weekdays_the_rest_of_today_and_the_days_to_come() -> None:
    """Half of Wednesday the 25th, Thursday, Friday, Monday the 30th: 3.5 working days of 8 hours."""
    found = forecast(MONTH, Decimal(100), NOON, four_weeks("8"), 0.0)
    assert found is not None
    assert (found.amount, found.method) == (128, Method.WEEKDAYS)
    weekends = forecast(MONTH, Decimal(100), NOON, four_weeks("8", "2"), 0.0)
    assert weekends is not None
    assert weekends.amount == 132


def test_of_days_alike_it_is_the_mean() -> None:
    past = four_weeks("8")
    past[date(2026, 11, 19)] = Decimal(0)  # a Thursday
    found = forecast(MONTH, Decimal(0), NOON, past, 0.0)
    assert found is not None
    assert found.amount == 26


def test_with_few_days_it_goes_on_as_it_did() -> None:
    past = dict(list(four_weeks("8").items())[-13:])
    found = forecast(MONTH, Decimal(49), NOON, past, 0.0)
    assert found is not None
    assert found.method is Method.MEAN
    assert float(found.amount) == pytest.approx(60)


def test_at_the_very_beginning_nobody_can_tell() -> None:
    day = period_of(Per.DAY, NOON, ZONE)
    assert forecast(day, Decimal(1), day.start, {}, 0.0) is None
    assert forecast(day, Decimal(1), day.start + 2700, {}, 0.0) is None
    assert forecast(day, Decimal(1), day.start + 2800, {}, 0.0) is not None
    assert forecast(day, Decimal(1), day.start, four_weeks("8"), 0.0) is not None


def test_what_nobody_knew_of_is_not_taken_for_rest() -> None:
    """Of the month only since the 24th at noon: a day with 10, and five and a half to come."""
    found = forecast(MONTH, Decimal(10), NOON, {}, NOON - 86400)
    assert found is not None
    assert float(found.amount) == pytest.approx(65)
    assert forecast(MONTH, Decimal(10), NOON, {}, NOON - 1200) is None, "20 minutes say nothing of a month"
    assert forecast(MONTH, Decimal(10), NOON, {}, None) is None


def test_which_days_are_looked_back_on() -> None:
    assert past_days(NOON, ZONE, None) == ()
    assert len(past_days(NOON, ZONE, 0.0)) == 28
    first = wall("2026-11-20 15:00", ZONE)
    assert past_days(NOON, ZONE, first) == tuple(date(2026, 11, day) for day in range(21, 25))


@given(
    st.sampled_from(Per),
    st.integers(0, 300),
    st.floats(0, 0.999),
    st.decimals(0, 1000, places=2),
    st.lists(st.decimals(0, 24, places=1), max_size=28),
)
def test_it_is_never_less_than_what_is_used(
    per: Per, day: int, part: float, used: Decimal, known: list[Decimal]
) -> None:
    """Also over a change of the clocks, and it is exact at the end."""
    moment = wall("2026-01-01 00:00", ZONE) + day * 86400 + part * 86400
    period = period_of(per, moment, ZONE)
    days = past_days(moment, ZONE, 0.0)[-len(known) :] if known else ()
    past = dict(zip(days, known, strict=True))
    found = forecast(period, used, moment, past, 0.0)
    if found is not None:
        assert found.amount >= used - Decimal("0.0001")
    at_the_end = forecast(period, used, period.stop, past, 0.0)
    assert at_the_end is not None
    assert float(at_the_end.amount) == pytest.approx(float(used))


def test_every_day_to_come_counts_once() -> None:
    """October has the change of the clocks; each day counts as one all the same."""
    begin = wall("2026-10-01 00:00", ZONE)
    month = period_of(Per.MONTH, begin, ZONE)
    past = {date(2026, 9, 30) - timedelta(days=back): Decimal(1) for back in range(28)}
    found = forecast(month, Decimal(0), begin, past, 0.0)
    assert found is not None
    assert found.amount == 31
