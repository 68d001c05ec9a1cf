"""A service that moves: what it cost before counts where it was, and nowhere twice."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from tests.accounts.written import ZONE, Line, life, terms, wall, whole, write

from poorwill.accounts.account import account
from poorwill.accounts.asked import Asked, asked
from poorwill.accounts.books import Books, read
from poorwill.core.budget import HOURS, Budget
from poorwill.core.period import Per
from poorwill.core.price import Price
from poorwill.core.spending import used

NOW = wall("2025-04-02 12:00")
ONE = Price("CNY", Decimal(1))


async def books(folder: Path, lines: list[Line]) -> tuple[Books, Asked]:
    month = asked(NOW, ZONE, month="2025-03")
    assert month
    return read(await write(folder / "state", lines), month.start, month.stop, NOW), month


def budget(payer: str, unit: str) -> Budget:
    return Budget(payer, Per.MONTH, ZONE, Decimal(100), unit)


def moving() -> list[Line]:
    """Ten hours on one machine, ten on another, and ten on none, at a price of its own."""
    return [
        whole("2025-03-01", "old", "gpu", "kb"),
        terms("2025-03-01", "old", ONE, kind="machine"),
        terms("2025-03-01", "gpu", ONE, kind="machine"),
        terms("2025-03-01", "kb", on="old"),
        *life("old", "2025-03-02 10:00", "2025-03-02 20:00"),
        *life("kb", "2025-03-02 10:00", "2025-03-02 20:00"),
        terms("2025-03-05", "kb", ONE),
        *life("kb", "2025-03-06 10:00", "2025-03-06 20:00"),
        terms("2025-03-10", "kb", on="gpu"),
        *life("gpu", "2025-03-12 10:00", "2025-03-12 20:00"),
        *life("kb", "2025-03-12 10:00", "2025-03-12 20:00"),
    ]


@pytest.mark.parametrize(
    ("payer", "money", "hours"), [("old", 10, 10), ("gpu", 10, 10), ("kb", 30, 30), ("", 30, 30)]
)
async def test_budgets_count_what_was_there_then(tmp_path: Path, payer: str, money: int, hours: int) -> None:
    found, month = await books(tmp_path, moving())
    lines = found.lines(month)
    assert used(budget(payer, "CNY"), lines) == money
    assert used(budget(payer, HOURS), lines) == hours


async def test_what_it_paid_by_itself_is_not_saved(tmp_path: Path) -> None:
    found, month = await books(tmp_path, moving())
    kb = next(one for one in account(found, month).saved if one.name == "kb")
    assert kb.always == 5 * 24  # the five days on which it had a price of its own
    assert kb.cost == 10


async def test_hours_on_a_machine_without_a_price_are_not_counted_twice(tmp_path: Path) -> None:
    lines = [
        whole("2025-03-01", "gpu", "kb"),
        terms("2025-03-01", "gpu", kind="machine"),
        terms("2025-03-01", "kb", on="gpu"),
        *life("gpu", "2025-03-02 10:00", "2025-03-02 20:00"),
        *life("kb", "2025-03-02 11:00", "2025-03-02 20:00"),
    ]
    found, month = await books(tmp_path, lines)
    assert used(budget("", HOURS), found.lines(month)) == 10
