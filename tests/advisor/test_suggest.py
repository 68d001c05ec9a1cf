"""Suggestions, each from a month that was made for it: what they gain is reckoned here by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.core.timetables import table, wall

from poorwill.advisor.case import Case
from poorwill.advisor.suggest import suggestions
from poorwill.advisor.suggest_gpu import Card, suggest_gpu
from poorwill.advisor.suggest_hours import suggest_hours
from poorwill.advisor.suggest_idle import suggest_idle
from poorwill.advisor.suggest_no_window import suggest_no_window
from poorwill.advisor.suggest_rest import suggest_budget, suggest_unused
from poorwill.advisor.suggest_window import suggest_trims
from poorwill.advisor.suggestion import Rate, Sure
from poorwill.core.model import OnRequest, Service
from poorwill.core.stretch import Stretch

START = wall("2026-11-02 00:00")  # a Monday
DAYS = 28
GB = 1024**3
DAY = 86400.0


def month(*moments: float, days: int = DAYS, length: float = 120.0, week: int = 7) -> Iterator[Stretch]:
    """The same uses on each of the first ``week`` days of every week; hours of the day."""
    for day in range(days):
        if day % 7 < week:
            for hour in moments:
                start = START + day * DAY + hour * 3600
                yield Stretch("kb", start, start + length, 1)


def case(
    stretches: Iterator[Stretch], *, hours: float = 100.0, days: float = DAYS, **service: object
) -> Case:
    """``hours``: that it was there in this time."""
    return Case(
        service=Service("kb", **service),  # type: ignore[arg-type]
        stretches=tuple(stretches),
        since=START,
        until=START + days * DAY,
        zone="UTC",
        there=hours * 3600,
        wakes=(60.0,),
        rate=Rate(Decimal("3.90"), "CNY"),
    )


def test_a_shorter_idle_time() -> None:
    """Two uses a day, far apart. Each is there for 60 + 120 s and the idle time: 56 times 59 minutes less."""
    found = suggest_idle(case(month(9, 15), hours=56 * (180 + 3600) / 3600, idle_after=3600.0))
    assert found is not None
    assert (found.kind, found.values["idle"], found.sure) == ("idle_shorter", 60.0, Sure.HIGH)
    assert found.hours == pytest.approx(56 * 59 / 60 * 30 / 28)
    assert found.amount == Decimal("3.90") * Decimal(repr(found.hours))
    assert found.values["waits"] == found.values["waits_was"] == 60  # 56 in 28 days


def test_a_longer_idle_time_spares_waits() -> None:
    """Every 14 minutes from 9 to 12; with 10 minutes each waits, with 15 only the first of the day."""
    moments = [9 + turn * 14 / 60 for turn in range(13)]
    known = case(month(*moments, length=60.0), hours=13 * 28 * 750 / 3600, idle_after=600.0)
    found = suggest_idle(replace(known, wakes=(90.0,)))
    assert found is not None
    assert (found.kind, found.values["idle"]) == ("idle_longer", 900.0)
    assert found.values["waits_was"] == pytest.approx(13 * 30)
    assert found.values["waits"] == pytest.approx(30)
    # With 15 minutes it is there from the first use to 15 minutes after the last, with 10 each time anew.
    gain = 13 * 750 - (12 * 840 + 60 + 900)
    assert found.hours == pytest.approx(28 * gain / 3600 * 30 / 28)
    assert found.amount == Decimal("3.90") * Decimal(repr(found.hours))


def test_nobody_is_to_wait_much_more_often() -> None:
    """Uses in pairs, five minutes apart: a shorter time would have the second of each wait as well."""
    pairs = [hour + minutes / 60 for hour in (9, 12, 15) for minutes in (0, 7)]
    known = case(month(*pairs), hours=84 * 40 / 60, idle_after=1800.0)
    found = suggest_idle(replace(known, wakes=(5.0,)))  # and were the waits ever so short
    assert found is not None
    assert found.values["idle"] == 300.0
    assert found.values["waits"] == found.values["waits_was"]


def test_a_replay_that_misses_what_was_is_a_guess() -> None:
    found = suggest_idle(case(month(9, 15), hours=300.0, idle_after=3600.0))
    assert found is not None
    assert found.sure is Sure.LOW


def test_a_replay_that_has_nothing_to_do_with_what_was_says_nothing() -> None:
    """59 hours by the rules, and it was there for 300: somebody kept it awake."""
    first, *_ = suggestions(case(month(9, 15), hours=58.8, idle_after=3600.0))
    assert first.kind == "idle_shorter"
    assert suggestions(case(month(9, 15), hours=300.0, idle_after=3600.0)) == ()


@pytest.mark.parametrize(
    "known",
    [
        case(month(9, 15), hours=1, idle_after=60.0),  # already the best
        case(month(9, 15, days=6), days=6, idle_after=3600.0),
        case(month(9, days=10), days=10, idle_after=3600.0),  # ten uses
        replace(case(month(9, 15), idle_after=3600.0), wakes=()),
        replace(case(month(9, 15), idle_after=3600.0), lone=False),
        case(month(9, 15), hours=3000.0, idle_after=180.0),  # 2 h of 3000: noise
    ],
    ids=["best", "days", "uses", "wakes", "others", "noise"],
)
def test_nothing_to_say_about_the_idle_time(known: Case) -> None:
    assert suggest_idle(known) is None


def test_the_edges_of_a_window_in_which_nobody_comes() -> None:
    """Open 8 to 20, used from 10:30 to 17:10: two hours earlier and two later are for nobody."""
    known = case(
        month(*[10.5 + half / 2 for half in range(14)], length=600.0, week=5),
        hours=20 * 12,
        timetable=table("Mon-Fri 08:00-20:00"),
    )
    later, shorter = suggest_trims(known)
    assert (later.kind, later.values["was_clock"], later.values["to_clock"]) == (
        "window_later",
        "08:00",
        "10:00",
    )
    assert (shorter.kind, shorter.values["to_clock"]) == ("window_shorter", "18:00")
    assert later.hours == shorter.hours == pytest.approx(40 * 30 / 28, rel=0.01)
    assert (later.values["came_count"], later.values["days_count"], later.sure) == (0, 20, Sure.HIGH)


def test_an_edge_that_somebody_needs_now_and_then() -> None:
    """On 2 of 20 days somebody came at 8: so often, waiting is cheaper than an open hour."""
    early = [Stretch("kb", START + day * DAY + 8.2 * 3600, START + day * DAY + 8.3 * 3600) for day in (1, 9)]
    rest = list(month(*[9 + half / 2 for half in range(18)], length=600.0, week=5))
    known = case(
        iter(sorted([*early, *rest], key=lambda one: one.start)), timetable=table("Mon-Fri 08:00-18:00")
    )
    (found,) = suggest_trims(known)
    assert (found.values["to_clock"], found.values["came_count"], found.sure) == ("09:00", 2, Sure.MEDIUM)
    closed = replace(known, service=replace(known.service, on_request=OnRequest.CLOSED))
    assert list(suggest_trims(closed)) == []  # there they would be turned away


def test_no_window_where_hardly_anybody_comes() -> None:
    """Open for 10 hours on 20 days for one visit of 2 minutes in each: on request it is there 13 minutes."""
    known = case(
        month(13, week=5), hours=20 * 10 + 2, idle_after=600.0, timetable=table("Mon-Fri 08:00-18:00")
    )
    found = suggest_no_window(known)
    assert found is not None
    assert found.hours == pytest.approx(20 * (10 - (60 + 120 + 600) / 3600) * 30 / 28, rel=0.001)
    assert (found.values["waits_was"], found.values["waits"]) == (0, pytest.approx(20 * 30 / 28))
    closed = replace(known, service=replace(known.service, on_request=OnRequest.CLOSED))
    assert suggest_no_window(closed) is None


def test_a_service_that_never_sleeps() -> None:
    known = case(month(9), hours=28 * 24, idle_after=600.0, timetable=table("00:00-24:00"))
    found = suggest_no_window(known)
    assert found is not None
    assert found.hours == pytest.approx(28 * (24 - 780 / 3600) * 30 / 28, rel=0.001)


def test_a_window_where_many_come_is_worth_it() -> None:
    moments = [8 + quarter / 4 for quarter in range(40)]
    known = case(month(*moments, week=5), idle_after=600.0, timetable=table("Mon-Fri 08:00-18:00"))
    assert suggest_no_window(known) is None


def test_a_window_where_somebody_always_waits() -> None:
    """Twice an hour, from 9 to 12 on workdays, each time anew: a window costs the gaps, and spares waits."""
    known = case(month(*[9 + half / 2 for half in range(6)], week=5), idle_after=540.0)
    found = suggest_hours(replace(known, wakes=(120.0,)))
    assert found is not None
    assert (found.kind, found.values["days"]) == ("window_new", "workdays")
    assert (found.values["from_clock"], found.values["to_clock"]) == ("09:00", "12:00")
    assert found.values["spared"] == pytest.approx(120 * 30 / 28)
    # It is there for 120 + 120 + 540 s of each half hour: 1020 s less than in a window.
    assert found.hours == pytest.approx(-20 * 6 * 1020 / 3600 * 30 / 28, rel=0.001)


def test_a_window_is_not_worth_it_where_waits_are_short() -> None:
    known = case(month(*[9 + half / 2 for half in range(6)], week=5), idle_after=540.0)
    assert suggest_hours(replace(known, wakes=(3.0,))) is None


def test_hours_in_which_somebody_comes_every_other_day_are_no_window() -> None:
    every = month(*[9 + half / 2 for half in range(6)])
    other = [one for one in every if int((one.start - START) // DAY) % 2]
    known = replace(case(iter(other), idle_after=540.0), wakes=(600.0,))
    assert suggest_hours(known) is None


def test_a_cheaper_gpu() -> None:
    stretches = (replace(one, gpu_memory=9 * GB) for one in month(9, 15))
    cards = (
        Card("small", 8 * GB, Decimal(1), "CNY"),
        Card("tight", 10 * GB, Decimal("1.5"), "CNY"),  # 9 GB and 15 % are more than 10
        Card("fits", 12 * GB, Decimal("2.90"), "CNY"),
        Card("dear", 80 * GB, Decimal(12), "CNY"),
        Card("other", 24 * GB, Decimal("0.40"), "USD"),
    )
    known = case(stretches, hours=28.0)
    found = suggest_gpu(known, cards)
    assert found is not None
    assert (found.values["gpu"], found.amount, found.hours) == ("fits", Decimal("30.000"), 0.0)
    assert found.sure is Sure.LOW
    assert suggest_gpu(replace(known, rate=Rate()), cards) is None
    assert suggest_gpu(case(month(9, 15)), cards) is None  # never measured


@pytest.mark.parametrize(
    ("used", "limit", "before", "kind", "fits"),
    [
        (108, 100, None, "budget_small", 130),
        (92, 100, 90, None, None),
        (20, 100, 30, "budget_large", 35),
        (20, 100, None, None, None),  # one month says too little
        (20, 100, 60, None, None),
        (0, 100, 0, None, None),
    ],
)
def test_budgets(used: int, limit: int, before: int | None, kind: str | None, fits: int | None) -> None:
    earlier = None if before is None else Decimal(before)
    found = suggest_budget("kb", Decimal(used), Decimal(limit), "CNY", earlier)
    assert (found and found.kind, found and found.values["fits"]) == (kind, fits)


def test_a_service_that_nobody_used() -> None:
    known = case(iter(()), hours=56.0)
    (found,) = suggestions(known)
    assert (found.kind, found.hours, found.amount) == ("unused", pytest.approx(60), Decimal("234.000"))
    assert suggest_unused(case(iter(()), hours=0.5)) is None
    assert suggest_unused(case(iter(()), days=5)) is None


def test_without_a_price_there_are_hours_only() -> None:
    known = replace(case(month(9, 15), hours=58.8, idle_after=3600.0), rate=Rate())
    found = suggest_idle(known)
    assert found is not None
    assert (found.amount, found.currency) == (None, "")
