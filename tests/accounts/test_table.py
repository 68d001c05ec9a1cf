"""The table that people keep by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.core.timetables import wall

from poorwill.accounts.judged import Converted
from poorwill.accounts.record import Item, Record
from poorwill.accounts.review import review
from poorwill.accounts.shown_table import cells
from poorwill.accounts.table import Advice, Row
from poorwill.accounts.words import words
from poorwill.core.bill import Line
from poorwill.core.budget import HOURS, Budget
from poorwill.core.period import Per, Period, period_of
from poorwill.core.statement import Exchange

MONTH = period_of(Per.MONTH, wall("2026-10-10"), "UTC")
USD = (("USD", Decimal("7.1")),)


def budget(payer: str, limit: int, unit: str = HOURS, per: Per = Per.MONTH) -> Budget:
    return Budget(payer, per, "UTC", Decimal(limit), unit)


def record(*budgets: Budget, lines: tuple[Line, ...], days: tuple[tuple[Line, ...], ...] = ()) -> Record:
    """``days`` are the bills of the first ones."""
    items = (
        Item("storage", Decimal(35), "CNY", Decimal(50)),
        Item("gateway", Decimal(12), "CNY", Decimal(10)),
    )
    fixed = Line("", "cost", 0.0, 0.0, Decimal(47), "CNY")
    spent: dict[Period, tuple[Line, ...]] = {MONTH: (*lines, fixed)}
    spent |= {period_of(Per.DAY, MONTH.start + 86400 * day, "UTC"): found for day, found in enumerate(days)}
    return Record(
        MONTH, MONTH.stop, MONTH.start, None, lines=lines, items=items, budgets=budgets, spent=spent
    )


def line(
    name: str,
    hours: float,
    amount: str | None,
    currency: str = "CNY",
    kind: str = "service",
    machine: str = "",
) -> Line:
    seconds = hours * 3600
    worth = None if amount is None else Decimal(amount)
    return Line(name, kind, seconds, seconds, worth, currency, machine=machine)


def told(found: Record, language: str = "en") -> list[tuple[str, ...]]:
    shown = (cells(row, words(language)) for row in review(found).rows)
    return [(one.item, one.used, one.budget, one.over, one.advice) for one in shown]


def test_the_table_of_a_month() -> None:
    budgets = (budget("kb", 100), budget("kb", 120), budget("", 400, "CNY"))
    found = review(record(*budgets, lines=(line("kb", 92, "358.80"), line("ocr", 3, None, ""))))
    assert found.rows == (
        Row("service", "kb", "h", Decimal(92), Decimal(100)),
        Row("service", "kb", "CNY", Decimal("358.80")),
        Row("service", "ocr", "h", Decimal(3)),
        Row("cost", "storage", "CNY", Decimal(35), Decimal(50)),
        Row("cost", "gateway", "CNY", Decimal(12), Decimal(10)),
        Row("total", "", "h", Decimal(95)),
        Row("total", "", "CNY", Decimal("405.80"), Decimal(400)),
    )


def test_currencies_are_not_added_up_and_machines_not_counted_twice() -> None:
    lines = (line("kb", 10, "5"), line("box", 12, "1.50", "USD", "machine"), line("kb", 2, "3", "USD"))
    found = review(record(lines=lines))
    assert found.totals == {"CNY": Decimal(52), "USD": Decimal("4.50")}
    hours = next(row for row in found.rows if row.item == "total" and row.unit == "h")
    assert hours.used == 12


def test_a_budget_of_a_machine_is_for_all_that_is_on_it() -> None:
    lines = (
        line("kb", 10, "50", machine="m1"),
        replace(line("m1", 12, "12.26", kind="machine"), whole=Decimal("62.26")),
    )
    assert ("m1 and what is on it: money", "62.26 CNY", "50.00 CNY", "yes", "over by 12.26 CNY") in told(
        record(budget("m1", 50, "CNY"), lines=lines)
    )


def test_other_currencies_count_in_a_budget_at_the_stated_rate() -> None:
    whole = budget("", 140, "CNY").with_rates(USD)
    lines = (line("kb", 10, "87.22"), line("sd", 2, "3.61", "USD"))
    found = replace(record(whole, lines=lines), rates={"USD": Exchange(Decimal("7.1"), "2026-10-01")})
    rows = told(found)
    assert ("everything: money", "134.22 CNY", "–", "–", "see its budget below") in rows
    over = ("everything: money, as the budget counts it", "159.85 CNY", "140.00 CNY", "yes")
    assert (*over, "over by 19.85 CNY") in rows
    assert review(found).rates == (Converted("USD", "CNY", Decimal("7.1"), "2026-10-01"),)
    unstated = review(record(budget("", 140, "CNY"), lines=lines))
    assert (unstated.rates, unstated.uncounted) == ((), ("USD",))


@pytest.mark.parametrize(
    ("limit", "over", "advice"), [(500, "yes", "over on 2 of 3 days"), (700, "no", "on all 3 days")]
)
def test_a_budget_of_a_day_is_judged_by_its_days(limit: int, over: str, advice: str) -> None:
    days = tuple((line("kb", 9, amount),) for amount in ("501", "100", "612"))
    rows = told(record(budget("kb", limit, "CNY", Per.DAY), lines=(line("kb", 27, "1213"),), days=days))
    day = next(row for row in rows if row[0] == "kb: money, most in a day")
    assert day[1:4] == ("612.00 CNY", f"{limit}.00 CNY", over)
    assert advice in day[4]
    assert next(row for row in rows if row[0] == "kb: money")[4] == "see its budget below"
    assert next(row for row in rows if row[0] == "kb: hours")[4] == "no budget is set"


def test_an_item_of_a_month_that_goes_on_is_compared_as_a_whole() -> None:
    item = Item("gateway", Decimal("0.004"), "CNY", Decimal(1), whole=Decimal(8))
    found = replace(record(lines=()), items=(item,))
    row = ("gateway", "<0.01 CNY", "1.00 CNY", "yes", "8.00 CNY a month: over by 7.00 CNY")
    assert row in told(found)
    assert told(found, "zh")[0][4] == "每月 8.00 CNY：超出 7.00 CNY"


@pytest.mark.parametrize(
    ("used", "budget", "advice"),
    [(79, 100, "within"), (80, 100, "close"), (100, 100, "close"), (101, 100, "over"), (5, None, "none")],
)
def test_advice(used: int, budget: int | None, advice: str) -> None:
    row = Row("service", "kb", "h", Decimal(used), None if budget is None else Decimal(budget))
    assert (row.advice, row.over) == (Advice(advice), advice == "over")
