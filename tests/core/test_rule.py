"""Holidays, make-up workdays, and other dates. China in 2026, as its government published it."""

from __future__ import annotations

from datetime import date

import pytest

from poorwill.core.cron import Cron
from poorwill.core.holidays import holiday, known_countries, makes_up, published
from poorwill.core.pattern import Pair, Pattern, Spell, Starts, Weekly
from poorwill.core.rule import Rule

SATURDAY_AT_WORK, SUNDAY_AT_WORK = date(2026, 2, 14), date(2026, 1, 4)
NEW_YEAR = date(2026, 2, 17)


def weekly(days: set[int], start: int = 9, stop: int = 18) -> Weekly:
    return Weekly((Spell(frozenset(days), start * 60, stop * 60),))


def cron(days: str) -> Pair:
    return Pair(Cron(f"0 9 * * {days}"), Cron(f"0 18 * * {days}"))


def opens(rule: Rule, day: date) -> list[str]:
    return [f"{start:%H:%M}-{stop:%d %H:%M}" for start, stop in rule.on(day)]


def test_the_calendars() -> None:
    assert holiday(("CN",), NEW_YEAR) == "Chinese New Year (Spring Festival)"
    assert holiday(("CN",), date(2026, 2, 12)) == ""
    assert makes_up(("CN",), SATURDAY_AT_WORK)
    assert makes_up(("CN",), SUNDAY_AT_WORK)
    assert not makes_up(("CN",), date(2026, 2, 21))
    assert not makes_up(("DE",), SATURDAY_AT_WORK)
    assert holiday(("DE",), date(2026, 1, 6)) == ""
    assert holiday(("DE", "DE-BY"), date(2026, 1, 6)) == "Epiphany"
    assert "BY" in known_countries()["DE"]


def test_names_do_not_follow_the_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert holiday(("CN",), date(2025, 1, 1)) == "New Year's Day"


def test_what_is_not_published_yet() -> None:
    assert published("CN", 2026)
    assert not published("CN", 2027)
    assert published("DE-BY", 2027), "nothing is moved there"
    assert published("AM", 2027), "it gave it up"


@pytest.mark.parametrize("pattern", [weekly({0, 1, 2, 3, 4}), cron("1-5"), cron("MON-FRI")])
def test_holidays_and_make_up_workdays(pattern: Pattern) -> None:
    rule = Rule("x", pattern, holidays=("CN",))
    assert opens(rule, NEW_YEAR) == []
    assert rule.closed(NEW_YEAR) == "holiday: Chinese New Year (Spring Festival)"
    assert opens(rule, SATURDAY_AT_WORK) == ["09:00-14 18:00"]
    assert rule.extra(SATURDAY_AT_WORK) == "make-up workday"
    assert opens(rule, SUNDAY_AT_WORK) == ["09:00-04 18:00"]
    assert opens(rule, date(2026, 2, 21)) == []
    assert opens(rule, date(2026, 2, 13)) == ["09:00-13 18:00"]
    assert opens(Rule("x", pattern), SATURDAY_AT_WORK) == []


def test_a_make_up_workday_is_like_friday_or_the_latest_day_before() -> None:
    several = Weekly(
        (Spell(frozenset({0, 2}), 480, 720), Spell(frozenset({3}), 540, 600), Spell(frozenset({5}), 0, 60))
    )
    assert opens(Rule("x", several, holidays=("CN",)), SATURDAY_AT_WORK) == ["09:00-14 10:00"]
    monday = Rule("x", weekly({0}), holidays=("CN",))
    assert opens(monday, SUNDAY_AT_WORK) == ["09:00-04 18:00"]


def test_what_is_for_weekends_or_for_every_day_stays_as_it_is() -> None:
    assert opens(Rule("x", weekly({5}, 10, 14), holidays=("CN",)), SATURDAY_AT_WORK) == ["10:00-14 14:00"]
    daily = Pair(Cron("0 9 * * *"), Cron("0 18 * * *"))
    assert opens(Rule("x", daily, holidays=("CN",)), SATURDAY_AT_WORK) == ["09:00-14 18:00"]
    first = Starts(Cron("0 9 1 * *"))
    assert opens(Rule("x", first, holidays=("CN",)), SATURDAY_AT_WORK) == []


def test_the_day_of_a_window_is_the_one_it_begins_on() -> None:
    nights = Rule("x", weekly({0, 1, 2, 3, 4}, 22, 30), holidays=("CN",))
    assert opens(nights, date(2026, 4, 30)) == ["22:00-01 06:00"], "into the first of May, a holiday"
    assert opens(nights, date(2026, 5, 1)) == []
    assert opens(nights, SATURDAY_AT_WORK) == ["22:00-15 06:00"]


def test_excepted_and_added_dates() -> None:
    tuesday, saturday = date(2026, 11, 24), date(2026, 11, 28)
    rule = Rule("x", cron("1-5"), excepted=frozenset({tuesday}), added=frozenset({saturday}))
    assert opens(rule, tuesday) == []
    assert rule.closed(tuesday) == "excepted"
    assert opens(rule, saturday) == ["09:00-28 18:00"]
    assert rule.extra(saturday) == "added"
    assert rule.extra(date(2026, 11, 27)) == ""
    anyway = Rule("x", cron("1-5"), holidays=("CN",), added=frozenset({NEW_YEAR}))
    assert opens(anyway, NEW_YEAR) == ["09:00-17 18:00"]
    assert anyway.closed(NEW_YEAR) == ""
    yearly = Rule("x", Pair(Cron("0 9 24 12 *"), Cron("0 12 24 12 *")), added=frozenset({saturday}))
    assert opens(yearly, saturday) == ["09:00-28 12:00"]
