"""Which time counts for what was saved."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.accounts.written import ZONE, Line, alive, life, terms, wall, whole, write

from poorwill.accounts.account import Account, account
from poorwill.accounts.asked import asked
from poorwill.accounts.books import read
from poorwill.core.price import Price
from poorwill.store.journal import Entry, Kind

NOW = wall("2025-03-31 00:00")
PRICE = Price("CNY", Decimal(1))
UP, DOWN = Entry(Kind.UP), Entry(Kind.DOWN)


async def told(folder: Path, *lines: Line, month: str = "2025-03") -> Account:
    time = asked(NOW, ZONE, month=month)
    assert time
    begun = (("2025-03-01", UP), whole("2025-03-01", "kb"), terms("2025-03-01", "kb", PRICE))
    written = await write(folder / "state", [*begun, *lines])
    return account(read(written, time.start, time.stop, NOW), time)


async def test_a_service_that_left_the_file_keeps_what_it_saved(tmp_path: Path) -> None:
    """And while it was away nothing was saved, also when it comes again."""
    lines = [*life("kb", "2025-03-02 00:00", "2025-03-02 10:00"), whole("2025-03-11"), alive("2025-03-31")]
    left = await told(tmp_path / "left", *lines)
    assert left.saved_total == {"CNY": 10 * 24 - 10}
    back = await told(tmp_path / "back", *lines, whole("2025-03-21", "kb"))
    assert back.saved_total == {"CNY": 20 * 24 - 10}
    assert back.total == left.total == {"CNY": 10}
    assert back.remarks == ()


async def test_while_no_poorwill_ran_nothing_was_saved(tmp_path: Path) -> None:
    slept = await told(tmp_path / "1", ("2025-03-04", DOWN), ("2025-03-25", UP), alive("2025-03-31"))
    assert slept.saved_total == {"CNY": (3 + 6) * 24}
    said = "for 21d no Poorwill ran, as far as its journal tells: nothing is counted as saved then"
    assert slept.remarks == (said,)
    stopped = await told(tmp_path / "2", alive("2025-03-06"))
    assert stopped.saved_total == {"CNY": 5 * 24}
    assert stopped.remarks == (said.replace("21d", "25d"),)


async def test_what_goes_on_meanwhile_is_no_loss_either(tmp_path: Path) -> None:
    """It is paid for, and would have been anyway."""
    lines = [*life("kb", "2025-03-02", "2025-03-26"), ("2025-03-04", DOWN), ("2025-03-25", UP)]
    found = await told(tmp_path, *lines, alive("2025-03-31"))
    assert found.total == {"CNY": 24 * 24}
    assert found.saved_total == {"CNY": (1 + 5) * 24}
