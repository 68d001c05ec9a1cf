"""What each service cost today, beside the loop: read now and then, and never waited for without end."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

import pytest
from tests.accounts.written import ZONE, life, terms, whole, write

from poorwill import clock
from poorwill.core.price import Price
from poorwill.store.journal import Entry, Kind
from poorwill.web import cost
from poorwill.web.cost import Today

PRICE = Price("CNY", Decimal("3.90"))


def local(*, minutes: float = 0) -> str:
    """So many minutes ago, as the clock of these tests shows it."""
    at = datetime.fromtimestamp(clock.now().wall, ZoneInfo(ZONE)) - timedelta(minutes=minutes)
    return at.replace(tzinfo=None).isoformat(" ")


async def state(folder: Path, price: Price | None = PRICE) -> Path:
    begin = local(minutes=1)
    lines = [whole(begin, "kb", "free"), terms(begin, "kb", price), terms(begin, "free"), *life("kb", begin)]
    return await write(folder / "state", lines)


async def test_an_amount_for_each_that_has_a_price(tmp_path: Path) -> None:
    costs = await Today(await state(tmp_path)).costs()
    assert set(costs) == {"kb"}
    [amount] = costs["kb"]
    assert amount["currency"] == "CNY"
    assert amount["amount"] > 0


async def test_without_prices_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "read", None)
    assert await Today(await state(tmp_path, None)).costs() == {}


async def test_it_is_not_read_again_at_once_nor_twice_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Path] = []
    real = cost.read
    monkeypatch.setattr(cost, "read", lambda folder, *times: (reads.append(folder), real(folder, *times))[1])
    today = Today(await state(tmp_path))
    first = await asyncio.gather(*(today.costs() for _ in range(5)))
    assert all(one["kb"] for one in first)
    await today.costs()
    assert len(reads) == 1


async def test_a_journal_that_is_slow_or_broken_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, go_on, real = await state(tmp_path), Event(), cost.read
    monkeypatch.setattr(cost, "FRESH", 0.0)
    monkeypatch.setattr(cost, "SHARE", 0.0)
    monkeypatch.setattr(cost, "PATIENCE", 0.01)
    monkeypatch.setattr(cost, "read", lambda *given: (go_on.wait(30), real(*given))[1])
    today = Today(folder)
    assert await today.costs() == {}
    go_on.set()
    async with asyncio.timeout(30):
        while not (known := await today.costs()):
            pass
    (folder / "journal.db").rename(folder / "elsewhere.db")
    assert await today.costs() == known


async def test_a_damaged_line_does_not_keep_anybody_from_what_runs(tmp_path: Path) -> None:
    strange = (local(minutes=0.5), Entry(Kind.TERMS, "kb", detail={"price": {"per_hour": 1}}))
    begin = local(minutes=1)
    folder = await write(tmp_path / "state", [terms(begin, "kb", PRICE), whole(begin, "kb"), strange])
    assert await Today(folder).costs() == {}


async def test_a_machine_is_told_as_a_whole(tmp_path: Path) -> None:
    begin = local(minutes=1)
    lines = [
        whole(begin, "gpu", "kb"),
        terms(begin, "gpu", PRICE, kind="machine"),
        terms(begin, "kb", on="gpu"),
        *life("gpu", begin),
        *life("kb", begin),
    ]
    costs = await Today(await write(tmp_path / "state", lines)).costs()
    assert costs["gpu"] == costs["kb"] != []
    assert costs["gpu"][0]["amount"] > 0
