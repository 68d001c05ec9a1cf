"""The table that people keep by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.core.timetables import wall

from poorwill.accounts.record import Item, Limit, Record
from poorwill.accounts.review import review
from poorwill.accounts.shown import shown
from poorwill.accounts.table import Advice, Row
from poorwill.core.bill import Line
from poorwill.core.period import Per, period_of

MONTH = period_of(Per.MONTH, wall("2026-10-10"), "UTC")


def record(*limits: Limit, lines: tuple[Line, ...]) -> Record:
    items = (
        Item("storage", Decimal(35), "CNY", Decimal(50)),
        Item("gateway", Decimal(12), "CNY", Decimal(10)),
    )
    return Record(MONTH, MONTH.stop, MONTH.start, None, lines=lines, items=items, limits=limits)


def line(name: str, hours: float, amount: str | None, currency: str = "CNY", kind: str = "service") -> Line:
    seconds = hours * 3600
    return Line(name, kind, seconds, seconds, None if amount is None else Decimal(amount), currency)


def test_the_table_of_a_month() -> None:
    limits = (
        Limit("kb", Decimal(100)),
        Limit("kb", Decimal(120)),
        Limit("", Decimal(400), "CNY"),
        Limit("kb", Decimal(9), "USD"),  # another currency is never compared
    )
    found = review(record(*limits, lines=(line("kb", 92, "358.80"), line("ocr", 3, None, ""))))
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
    kb = (line("kb", 10, "5"), replace(line("kb", 2, "3", "USD"), aboard=7200.0, shared=Decimal(3)))
    lines = (*kb, line("box", 2, "1.50", "USD", "machine"))
    found = review(record(lines=lines))
    assert found.totals == {"CNY": Decimal(52), "USD": Decimal("4.50")}
    hours = next(row for row in found.rows if row.item == "total" and row.unit == "h")
    assert hours.used == 12


def test_a_budget_counts_as_it_does_while_it_runs() -> None:
    box = replace(line("box", 12, "2", kind="machine"), whole=Decimal(30))
    kb = replace(line("kb", 12, "28"), aboard=43200.0, shared=Decimal(28))
    rates = (("USD", Decimal(7)),)
    limits = (
        Limit("box", Decimal(20), "CNY"),
        Limit("", Decimal(10)),
        Limit("", Decimal(90), "CNY", rates),
        Limit("far", Decimal(40), "CNY", rates),
    )
    found = review(record(*limits, lines=(box, kb, line("far", 1, "2", "USD"))))
    assert [row for row in found.rows if row.budget and row.item != "cost"] == [
        Row("service", "box", "CNY", Decimal(30), Decimal(20)),
        Row("service", "far", "CNY", Decimal(14), Decimal(40), rates),
        Row("total", "", "h", Decimal(13), Decimal(10)),
        Row("total", "", "CNY", Decimal(91), Decimal(90), rates),
    ]
    assert "In budgets in CNY, 1 USD counts as 7 CNY, as poorwill.yaml says." in shown(found, "en").how


@pytest.mark.parametrize(
    ("used", "budget", "advice"),
    [(79, 100, "within"), (80, 100, "close"), (100, 100, "close"), (101, 100, "over"), (5, None, "none")],
)
def test_advice(used: int, budget: int | None, advice: str) -> None:
    row = Row("service", "kb", "h", Decimal(used), None if budget is None else Decimal(budget))
    assert (row.advice, row.over) == (Advice(advice), advice == "over")
