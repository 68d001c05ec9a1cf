"""A month read from a real journal: the same as it was lived."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.accounts.journaled import journaled, settings
from tests.accounts.recorded import MONTH, SERVICES
from tests.accounts.written import ZONE, life, terms, wall, write

from poorwill.accounts.looking_back import Rules, month_before, record, rules_of
from poorwill.accounts.record import Item, Limit
from poorwill.accounts.render import Format, render
from poorwill.accounts.review import case, review
from poorwill.core.model import Service
from poorwill.core.period import Per, period_of
from poorwill.core.stretch import joined
from poorwill.errors import StateError
from poorwill.store.journal import Entry, Kind

if TYPE_CHECKING:
    from conftest import Kept


async def test_what_was_ready_before_the_month_could_be_used_in_it(tmp_path: Path) -> None:
    march = period_of(Per.MONTH, wall("2025-03-10"), ZONE)
    seen = wall("2025-03-01 02:01")
    lines = [
        terms("2025-02-01", "kb"),
        *life("kb", "2025-02-27 10:00", "2025-02-27 12:00"),
        ("2025-02-27 10:05", Entry(Kind.READY, "kb", "kb-1", detail={"seconds": 300.0})),
        ("2025-02-28 23:00", Entry(Kind.START, "kb", "kb-1")),
        ("2025-02-28 23:00", Entry(Kind.THERE, "kb", "kb-1", detail={"life": "a", "since": None})),
        ("2025-02-28 23:02", Entry(Kind.READY, "kb", "kb-1", detail={"seconds": 120.0})),
        ("2025-03-01 02:00", Entry(Kind.STOP, "kb", "kb-1")),
        ("2025-03-01 02:01", Entry(Kind.GONE, "kb", "kb-1", detail={"until": None, "seen": seen})),
        *life("ocr", "2025-02-27 10:00", "2025-02-27 12:00"),
        ("2025-02-27 10:05", Entry(Kind.READY, "ocr", "ocr-1", detail={"seconds": 300.0})),
    ]
    folder = await write(tmp_path / "state", lines)
    found = record(folder, march, march.stop, Rules({"kb": Service("kb", idle_after=600.0)}))
    [kb] = review(found).services
    assert (kb.name, kb.there, kb.up, kb.switching) == ("kb", 7260.0, 7200.0, 60.0)
    assert case(found, kb).wakes == []


def test_the_journal_tells_what_was(october: Kept) -> None:
    was = october.record
    found = record(october.settings.state, MONTH, was.now, rules_of(october.settings))
    assert sorted(found.lives, key=str) == sorted(was.lives, key=str)
    assert found.stretches == joined(was.stretches)
    assert sum(one.requests for one in found.stretches) == sum(one.requests for one in was.stretches)
    assert {one.name: (one.seconds, one.starts) for one in found.lines} == {
        one.name: (one.seconds, one.starts) for one in was.lines
    }
    assert [round(one.amount, 9) for one in found.saved] == [round(one.amount, 9) for one in was.saved]
    assert set(found.items) == set(was.items)
    assert set(found.limits) == {Limit("kb", Decimal(240)), Limit("kb", Decimal(1200), "CNY")}
    assert found.services.keys() == was.services.keys()
    assert found.before == ()
    assert Item("storage", Decimal(35), "CNY", Decimal(50)) in found.items


def test_a_month_before_the_journal(october: Kept) -> None:
    rules = rules_of(october.settings)
    july = month_before(month_before(month_before(MONTH)))
    found = review(record(october.settings.state, july, october.record.now, rules))
    assert str(found.period) == "2026-07"
    assert found.empty


def test_there_is_no_journal(tmp_path: Path, october: Kept) -> None:
    with pytest.raises(StateError, match="there is no journal"):
        record(tmp_path, MONTH, october.record.now, rules_of(october.settings))


async def test_a_journal_cut_in_half(tmp_path: Path) -> None:
    """What is left is told, and from when on; nothing is compared, and nothing made up."""
    known = settings(tmp_path, services=SERVICES[:1])
    was = await journaled(known, SERVICES[:1], cut=0.5)
    found = record(known.state, MONTH, was.now, rules_of(known))
    assert MONTH.start < found.known_from < MONTH.stop
    told = review(found)
    kb = next(one for one in told.services if one.name == "kb")
    assert 0 < kb.there <= MONTH.stop - found.known_from
    assert kb.amounts == {}  # its price was in the half that is gone
    text = render(told, "en", Format.MARKDOWN)
    assert "Poorwill knows this month from" in text
    assert "No price is known for: kb." in text
