"""A month read from a real journal: the same as it was lived."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.accounts.recorded import MONTH

from poorwill.accounts.looking_back import month_before, record, rules_of
from poorwill.accounts.record import Item, Limit
from poorwill.accounts.review import review
from poorwill.errors import StateError

if TYPE_CHECKING:
    from conftest import Kept
from decimal import Decimal


def test_the_journal_tells_what_was(october: Kept) -> None:
    was = october.record
    found = record(october.settings.state, MONTH, was.now, rules_of(october.settings))
    assert sorted(found.lives, key=str) == sorted(was.lives, key=str)
    assert sorted(found.stretches, key=str) == sorted(was.stretches, key=str)
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
