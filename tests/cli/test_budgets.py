"""Budgets as `why`, `wake` and `check` put them into words."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from typer.testing import CliRunner

from poorwill.cli.budgets import budgets, described, stays_closed
from poorwill.cli.entry import app
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
        "budget: 400 CNY a month, 310.25 CNY (77.6%) used; about 382.10 CNY at the end, by the weekdays of "
        "the last four weeks; then it is closed"
    )
    soon = words(spent_at="2026-11-25T06:05:00.000+00:00", forecast=None, at_limit="no_wake")
    assert "used; too early to tell what it will come to; then " in soon
    assert soon.endswith("then requests wake it no more (Wed 25 Nov 14:05 as it goes now)")
    assert words(of=None, unit="h").startswith("budget of everything together: 400 hours a month")
    assert words(of="gpu", in_force=True).endswith("used up until Tue 1 Dec 00:00")
    assert words(of="gpu").startswith("budget of gpu: ")
    assert words(uncounted=["EUR", "USD"]).endswith("what was paid in EUR, USD is not counted")
    assert words(used=None) == "budget: 400 CNY a month; nobody knows yet what is used of it"


def test_small_amounts_of_time_can_be_read() -> None:
    half = words(unit="h", limit="100", used="0.475", percent=0.5)
    assert "100 hours a month, 28 min 30 s (0.5%) used" in half
    assert "0.01 hours a month, 50 s (140%) used" in words(unit="h", limit="0.01", used="0.0140", percent=140)
    assert "100 hours a month, 1.43 hours (1.4%) used" in words(
        unit="h", limit="100", used="1.4321", percent=1.4
    )


def test_what_cannot_be_counted_is_not_said_to_close() -> None:
    assert words(used="0.00", uncounted=["USD"]) == (
        "budget: 400 CNY a month; it cannot be counted: nobody said what USD is worth; write it in USD, or "
        "add exchange_rates"
    )
    unknown = words(used="0.00", uncounted=[""])
    assert unknown.endswith("nobody knows what an hour costs; state per_hour in its price")


def test_a_wake_in_vain() -> None:
    day = told(per="day", limit="12", in_force=True, ends="2026-11-25T16:00:00.000+00:00")
    row = {"name": "kb", "budgets": [day, told(in_force=True, used="400.10"), told(per="week")]}
    said = stays_closed(row, ZONE)
    assert said.exit_code == 1
    assert str(said) == (
        "kb stays asleep until Tue 1 Dec 00:00: its budget, 400 CNY a month, is used up with 400.10 CNY"
    )
    assert said.hint.endswith("raise `budget` in the configuration and say `poorwill reload`")
    every = stays_closed({"name": "kb", "budgets": [told(of=None, in_force=True)]}, ZONE)
    assert "the budget of everything together, 400 CNY a month, is used up" in str(every)


def test_what_check_says() -> None:
    closes = Budget("kb", Per.WEEK, "UTC", Decimal(169), at_limit=AtLimit.CLOSED, warn=(50.0,))
    assert [*described((closes,))] == [
        "budget: 169 hours a week; at the limit: closed until the next week; alerts at 50%, 100%",
        "warning: a week has at most 168 hours, so this one is never used up",
    ]
    quiet = Budget("kb", Per.DAY, "UTC", Decimal(3), "CNY", AtLimit.WARN, ())
    assert [*described((quiet,))] == ["budget: 3 CNY a day; only warns; no alerts"]


def checked(folder: Path, text: str) -> tuple[int, str]:
    file = folder / "poorwill.yaml"
    file.write_text(text, encoding="utf-8")
    said = CliRunner().invoke(app, ["check", str(file)])
    return said.exit_code, str(said.exception) if said.exit_code else said.output


SERVICES = """services:
  kb:
    run: {process: {command: [x, '{port}']}}
    price: {gpu: %s}
    budget: {amount: 10 CNY, at_limit: closed}
"""


def test_check_refuses_money_that_can_never_be_counted(tmp_path: Path) -> None:
    code, said = checked(tmp_path, SERVICES % "A10G")
    assert code
    assert ":5:22: services.kb.budget.amount: the typical price of A10G is in USD" in said
    assert "currency: CNY and exchange_rates: {USD: " in said
    code, said = checked(tmp_path, "currency: CNY\n" + SERVICES % "nosuchcard")
    assert code
    assert ":6:22: services.kb.budget.amount: nobody knows what an hour of nosuchcard costs" in said


def test_check_warns_of_a_rate_of_a_day_to_come(tmp_path: Path) -> None:
    rates = "currency: CNY\nexchange_rates: {USD: {rate: 7.12, date: %s}}\n" + SERVICES % "A10G"
    code, said = checked(tmp_path, rates % "2099-01-01")
    assert not code, said
    assert "warning: exchange_rates.USD: 2099-01-01 is still to come" in said
    assert "still to come" not in checked(tmp_path, rates % "2026-11-20")[1]
