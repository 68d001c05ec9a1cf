"""The table that people keep by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.timetables import wall

from poorwill.accounts.record import Item, Limit, Record
from poorwill.accounts.review import review
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
    lines = (line("kb", 10, "5"), line("box", 12, "1.50", "USD", "machine"), line("kb", 2, "3", "USD"))
    found = review(record(lines=lines))
    assert found.totals == {"CNY": Decimal(52), "USD": Decimal("4.50")}
    hours = next(row for row in found.rows if row.item == "total" and row.unit == "h")
    assert hours.used == 12


@pytest.mark.parametrize(
    ("used", "budget", "advice"),
    [(79, 100, "within"), (80, 100, "close"), (100, 100, "close"), (101, 100, "over"), (5, None, "none")],
)
def test_advice(used: int, budget: int | None, advice: str) -> None:
    row = Row("service", "kb", "h", Decimal(used), None if budget is None else Decimal(budget))
    assert (row.advice, row.over) == (Advice(advice), advice == "over")
