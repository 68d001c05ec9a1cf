from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poorwill.core.cron import Cron
from poorwill.core.pattern import DAY, Dated, Pair, Pattern, Spell, Weekly
from poorwill.core.rule import Rule
from poorwill.core.schedule import Hours, Opening, Timetable

BERLIN = "Europe/Berlin"
OFFICE = Rule("Mon-Fri 09:00-18:00", Weekly((Spell(frozenset(range(5)), 540, 1080),)))
ALWAYS = Rule("daily", Weekly((Spell(frozenset(range(7)), 0, 1440),)))


def wall(text: str, zone: str = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def said(opening: Opening | None, zone: str = BERLIN) -> str:
    if opening is None:
        return ""
    begins, ends = (
        f"{datetime.fromtimestamp(moment, ZoneInfo(zone)):%m-%d %H:%M}" if moment else "-"
        for moment in (opening.start, opening.stop)
    )
    return f"{begins} to {ends}"


def week(timetable: Timetable, at: str, days: int = 7) -> list[str]:
    zone = timetable.zone
    return [said(opening, zone) for opening in timetable.openings(wall(at, zone), days)]


def test_office_hours() -> None:
    timetable = Timetable(BERLIN, (OFFICE,))
    before = timetable.hours(wall("2026-11-25T08:59:59"))
    assert before.current is None
    assert said(before.next) == "11-25 09:00 to 11-25 18:00"
    assert before.change_at == wall("2026-11-25T09:00")
    during = timetable.hours(wall("2026-11-25T09:00"))
    assert during.current == before.next
    assert said(during.next) == "11-26 09:00 to 11-26 18:00"
    assert during.change_at == wall("2026-11-25T18:00")
    after = timetable.hours(wall("2026-11-27T18:00"))
    assert after.current is None
    assert said(after.next) == "11-30 09:00 to 11-30 18:00"


def test_windows_that_touch_or_overlap_are_one() -> None:
    morning = Rule("a", Weekly((Spell(frozenset({2}), 540, 720),)))
    noon = Rule("b", Weekly((Spell(frozenset({2}), 720, 840),)))
    late = Rule("c", Weekly((Spell(frozenset({2}), 800, 1600),)), led=True)
    (opening,) = Timetable(BERLIN, (morning, noon, late)).openings(wall("2026-11-25T10:00"))[:1]
    assert said(opening) == "11-25 09:00 to 11-26 02:40"
    assert opening.text == "a; b; c"
    assert not opening.led, "its begin is not one of those that are led"


def test_a_window_over_days_has_its_true_start() -> None:
    week_long = Rule("w", Pair(Cron("0 9 * * 1"), Cron("0 18 * * 5")))
    timetable = Timetable(BERLIN, (week_long,))
    assert week(timetable, "2026-11-26T12:00") == ["11-23 09:00 to 11-27 18:00", "11-30 09:00 to 12-04 18:00"]
    month = Timetable(BERLIN, (Rule("m", Pair(Cron("0 9 1 * *"), Cron("0 18 L * *"))),))
    assert said(month.hours(wall("2026-11-30T12:00")).current) == "11-01 09:00 to 11-30 18:00"


def test_a_run_of_touching_windows_over_a_week() -> None:
    weekdays = Rule("w", Weekly((Spell(frozenset(range(5)), 0, 1440),)))
    timetable = Timetable(BERLIN, (weekdays,))
    assert said(timetable.hours(wall("2026-11-27T12:00")).current) == "11-23 00:00 to 11-28 00:00"


def test_always_open() -> None:
    timetable = Timetable(BERLIN, (ALWAYS,))
    assert timetable.hours(wall("2026-11-25T10:00")) == Hours(Opening(0.0, None, "daily"), None, None)
    assert timetable.openings(wall("2026-11-25T10:00")) == (Opening(0.0, None, "daily"),)


def test_always_open_but_for_a_day_years_away() -> None:
    far = Timetable(BERLIN, (Rule("daily", ALWAYS.pattern, excepted=frozenset({date(2029, 5, 1)})),))
    hours = far.hours(wall("2026-11-25T10:00"))
    assert hours.current == Opening(0.0, wall("2029-05-01T00:00"), "daily")
    assert said(hours.next) == "05-02 00:00 to -"
    later = far.hours(wall("2029-05-02T10:00"))
    assert later.current == Opening(wall("2029-05-02T00:00"), None, "daily")


def test_nothing_but_runs() -> None:
    assert Timetable(BERLIN).hours(0.0) == Hours(None, None, None)
    assert Timetable(BERLIN).openings(0.0) == ()
    assert not Timetable(BERLIN).has_windows


def test_a_rare_window_is_found() -> None:
    leap = Timetable(BERLIN, (Rule("leap", Pair(Cron("0 9 29 2 *"), Cron("0 18 * * *"))),))
    following = leap.hours(wall("2026-03-01T00:00")).next
    assert following is not None
    assert following.start == wall("2028-02-29T09:00")
    assert leap.openings(wall("2026-03-01T00:00")) == ()


def test_one_off_hours_and_closed_dates() -> None:
    saturday = Rule(
        "x", Dated(date(2026, 11, 28), ((600, 840), (900, 1500))), added=frozenset({date(2026, 11, 28)})
    )
    timetable = Timetable(BERLIN, (OFFICE,), (saturday,), frozenset({date(2026, 11, 27), date(2026, 11, 28)}))
    assert week(timetable, "2026-11-27T00:00", 3) == [
        "11-28 10:00 to 11-28 14:00",
        "11-28 15:00 to 11-29 01:00",
    ]


def test_a_closed_date_cuts_long_windows_and_the_night_before() -> None:
    nights = Rule("n", Weekly((Spell(frozenset(range(7)), 22 * 60, 26 * 60),)))
    closed = Timetable(BERLIN, (nights,), closed=frozenset({date(2026, 11, 27)}))
    assert week(closed, "2026-11-26T12:00", 3) == [
        "11-26 22:00 to 11-27 00:00",
        "11-28 22:00 to 11-29 02:00",
    ]
    week_long = Rule("w", Pair(Cron("0 9 * * 1"), Cron("0 18 * * 5")), led=True)
    cut = Timetable(BERLIN, (week_long,), closed=frozenset({date(2026, 11, 25)}))
    assert week(cut, "2026-11-24T12:00", 3) == ["11-23 09:00 to 11-25 00:00", "11-26 00:00 to 11-27 18:00"]
    assert [opening.led for opening in cut.openings(wall("2026-11-24T12:00"), 3)] == [True, False]


def test_lines_for_every_hour_go_by_the_clock_twice() -> None:
    """Autumn in Berlin: the hour from 02:00 is shown twice, and each pass has its window."""
    quarter = Timetable(BERLIN, (Rule("q", Pair(Cron("0 * * * *"), Cron("15 * * * *"))),))
    begins = [opening.start for opening in quarter.openings(wall("2026-10-25T01:30"), 1)][:4]
    assert [later - begins[0] for later in begins] == [0, 3600, 7200, 10800]
    until = Timetable(BERLIN, (Rule("q", Pair(Cron("45 * * * *"), Cron("0 * * * *"))),))
    lengths = {(one.stop or 0) - one.start for one in until.openings(wall("2026-10-24T23:30"), 1)}
    assert lengths == {900}, "the stop in the second pass ends what began in the first"
    once = Timetable(BERLIN, (Rule("o", Pair(Cron("30 2 * * *"), Cron("45 2 * * *"))),))
    assert len(once.openings(wall("2026-10-25T00:00"), 1)) == 1


def test_equal_when_they_say_the_same() -> None:
    one, two = Timetable(BERLIN, (OFFICE,)), Timetable(BERLIN, (OFFICE,))
    one.hours(0.0)
    assert one == two
    assert hash(one) == hash(two)
    assert one != Timetable("UTC", (OFFICE,))


# --- laws ----------------------------------------------------------------------------------------

CRONS = ["0 9 * * 1-5", "30 2 * * *", "0 */3 * * *", "15 * * * *", "0 0 * * 0", "0 18 L * *", "0 1 1-7 * 1"]
DATES = st.dates(date(2026, 2, 1), date(2026, 4, 15)) | st.dates(date(2026, 10, 1), date(2026, 11, 15))
DATE_SETS = st.frozensets(DATES, max_size=3)


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    if draw(st.booleans()):
        starts, stops = draw(st.permutations(CRONS))[:2]
        return Pair(Cron(starts), Cron(stops))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    start = draw(st.integers(0, 95)) * 15
    return Weekly((Spell(days, start, start + draw(st.integers(1, 96)) * 15),))


@st.composite
def timetables(draw: st.DrawFn) -> Timetable:
    rules = [
        Rule(
            f"rule {number}",
            draw(patterns()),
            led=draw(st.booleans()),
            holidays=draw(st.sampled_from([(), ("CN",), ("DE-BY", "US")])),
            excepted=draw(DATE_SETS),
            added=draw(DATE_SETS),
        )
        for number in range(draw(st.integers(1, 3)))
    ]
    dates = [
        Rule(f"on {day}", Dated(day, ((600, 840),)), added=frozenset({day}))
        for day in sorted(draw(DATE_SETS))
    ]
    zone = draw(
        st.sampled_from([BERLIN, "Asia/Shanghai", "America/Havana", "Australia/Lord_Howe", "Africa/Cairo"])
    )
    return Timetable(zone, tuple(rules), tuple(dates), draw(DATE_SETS))


MOMENTS = DATES.map(lambda day: datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("UTC")).timestamp())
INSTANTS = st.builds(lambda day, second: day + second, MOMENTS, st.integers(0, 86399))
LAWS = settings(max_examples=30, deadline=None)


@LAWS
@given(timetables(), INSTANTS, st.data())
def test_an_answer_holds_until_it_says(timetable: Timetable, at: float, data: st.DataObject) -> None:
    hours = timetable.hours(at)
    fresh = Timetable(timetable.zone, timetable.rules, timetable.dates, timetable.closed)
    assert fresh.hours(at) == hours
    assert hours.current is None or hours.current.start <= at
    assert hours.next is None or at < hours.next.start
    if hours.change_at is None:
        assert hours.next is None
        return
    assert at < hours.change_at
    between = data.draw(st.floats(at, hours.change_at, exclude_max=True))
    assert fresh.hours(between) == timetable.hours(between) == hours
    then = timetable.hours(hours.change_at)
    assert (then.current is None) == (hours.current is not None)
    assert then.current == (None if hours.current else hours.next)


@LAWS
@given(timetables(), INSTANTS)
def test_the_list_of_openings_and_the_answers_agree(timetable: Timetable, at: float) -> None:
    openings = timetable.openings(at, 10)
    moment = at
    for opening in openings:
        hours = timetable.hours(moment)
        assert opening in (hours.current, hours.next)
        if opening.stop is None:
            return
        assert opening.start < opening.stop
        moment = opening.stop
    following = timetable.hours(moment)
    assert following.current is None
    assert following.next is None or following.next.start >= at + 10 * 86400


@LAWS
@given(timetables(), st.lists(INSTANTS, min_size=2, max_size=4))
def test_the_memo_changes_no_answer(timetable: Timetable, instants: list[float]) -> None:
    """Also when time goes backwards."""
    for at in instants:
        fresh = Timetable(timetable.zone, timetable.rules, timetable.dates, timetable.closed)
        assert timetable.hours(at) == fresh.hours(at)


@LAWS
@given(timetables(), INSTANTS)
def test_it_is_open_when_a_window_of_that_time_is(timetable: Timetable, at: float) -> None:
    """Found by looking at every window of two months one by one; closed dates are judged by the local day."""
    local = datetime.fromtimestamp(at, ZoneInfo(timetable.zone)).date()
    days = [local + ahead * DAY for ahead in range(-45, 2)]
    inside = [
        (rule, stop - start, day)
        for rule in (*timetable.rules, *timetable.dates)
        for day in days
        for start, stop in rule.on(day)
        for begins, ends in rule.pattern.spans((start, stop), timetable.zone)
        if begins <= at < ends
    ]
    is_open = any(
        rule in timetable.dates
        or (local not in timetable.closed and (day not in timetable.closed or length > DAY))
        for rule, length, day in inside
    )
    assert (timetable.hours(at).current is not None) == is_open


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe"])
def test_a_virtual_year_of_looks_meets_every_minute(zone: str) -> None:
    """A loop that looks when it is told to, for a year: 261 openings, each at its minute, none missed."""
    timetable = Timetable(zone, (OFFICE,))
    moment, end = wall("2026-01-01T00:00", zone), wall("2027-01-01T00:00", zone)
    opened = []
    while moment < end:
        hours = timetable.hours(moment)
        if hours.current and hours.current.start == moment:
            opened.append(datetime.fromtimestamp(moment, ZoneInfo(zone)))
        assert hours.change_at is not None
        moment = hours.change_at
    assert len(opened) == sum((date(2026, 1, 1) + n * DAY).weekday() < 5 for n in range(365))
    assert {(one.hour, one.minute) for one in opened} == {(9, 0)}
