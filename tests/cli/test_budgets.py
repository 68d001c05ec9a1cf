"""Budgets as `why`, `wake` and `check` put them into words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from poorwill.cli.budgets import budgets, described, stays_closed
from poorwill.core.budget import AtLimit, Budget
from poorwill.core.period import Per

ZONE = ZoneInfo("Asia/Shanghai")


def told(**said: Any) -> dict[str, Any]:
    known = {
        "of": "kb",
        "per": "month",
        "unit": "CNY",
        "limit": "400",
        "at_limit": "closed",
        "period": "2026-11",
        "used": "310.25",
        "percent": 77.6,
        "forecast": "382.10",
        "forecast_by": "weekdays",
        "spent_at": None,
        "ends": "2026-11-30T16:00:00.000+00:00",
        "in_force": False,
        "uncounted": [],
    }
    return {**known, **said}


def words(**said: Any) -> str:
    (line,) = budgets({"name": "kb", "budgets": [told(**said)]}, ZONE)
    return line


def test_how_a_budget_stands() -> None:
    assert words() == (
        "budget: 400 CNY a month, 310.25 CNY (77.6%) used; about 382.1 CNY at the end, by the weekdays of "
        "the last four weeks; then it is closed"
    )
    soon = words(spent_at="2026-11-25T06:05:00.000+00:00", forecast=None, at_limit="no_wake")
    assert soon.endswith("used; then requests wake it no more (Wed 25 Nov 14:05 as it goes now)")
    assert words(of=None, unit="h").startswith("budget of everything together: 400 hours a month")
    assert words(of="gpu", in_force=True).endswith("used up until Tue 1 Dec 00:00")
    assert words(of="gpu").startswith("budget of gpu: ")
    assert words(uncounted=["EUR", "USD"]).endswith("what was paid in EUR, USD is not counted")
    assert words(used=None) == "budget: 400 CNY a month; nobody knows yet what is used of it"


def test_a_wake_in_vain() -> None:
    day = told(per="day", limit="12", in_force=True, ends="2026-11-25T16:00:00.000+00:00")
    row = {"name": "kb", "budgets": [day, told(in_force=True), told(per="week")]}
    said = stays_closed(row, ZONE)
    assert said.startswith("kb stays asleep until Tue 1 Dec 00:00: the budget of 400 CNY a month is used up.")
    assert said.endswith("raise `budget` in the configuration and say `poorwill reload`.")


def test_what_check_says() -> None:
    closes = Budget("kb", Per.WEEK, "UTC", Decimal(169), at_limit=AtLimit.CLOSED, warn=(50.0,))
    assert [*described((closes,))] == [
        "budget: 169 hours a week; at the limit: closed until the next week; alerts at 50%, 100%",
        "warning: a week has at most 168 hours, so this one is never used up",
    ]
    quiet = Budget("kb", Per.DAY, "UTC", Decimal(3), "CNY", AtLimit.WARN, ())
    assert [*described((quiet,))] == ["budget: 3 CNY a day; only warns; no alerts"]
