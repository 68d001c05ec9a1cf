"""The demo's receipt says what the journal says."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from poorwill.cli.receipt import Receipt, receipt
from poorwill.core.model import Now
from poorwill.core.price import Price
from poorwill.core.statement import Statement
from poorwill.store.event import Entry, Kind
from poorwill.store.journal import Journal

HOUR = 3600.0
BEGIN = 1_790_000_000.0


async def told(state: Path, *told: tuple[float, Entry]) -> None:
    journal = await Journal.open(state)
    for at, entry in told:
        await journal.append(Now(BEGIN + at, at, "boot"), entry)
    await journal.close()


async def test_what_ran_and_what_it_would_have_cost(tmp_path: Path) -> None:
    price = Price("USD", Decimal("2.00")).as_json()
    await told(
        tmp_path,
        (0, Entry(Kind.TERMS, "notes", detail={"price": price, "on": "", "kind": "service"})),
        (0, Entry(Kind.TERMS, detail={**Statement("USD", payers=("notes",)).as_json(), "costs": []})),
        (HOUR, Entry(Kind.START, "notes", "notes-1")),
        (1.5 * HOUR, Entry(Kind.STOPPED, "notes", "notes-1")),
        (4 * HOUR, Entry(Kind.NOTED)),
    )
    found = receipt(tmp_path, BEGIN + 4 * HOUR)
    assert found == Receipt(4 * HOUR, 0.5 * HOUR, 1, Decimal(1), Decimal(8), "USD")
    assert "1.0000 USD instead of 8.0000: 88% saved" in str(found)


async def test_nothing_happened_yet(tmp_path: Path) -> None:
    await told(tmp_path)
    assert str(receipt(tmp_path, BEGIN)) == "woken 0 times; an instance ran 0 s of 0 s."
