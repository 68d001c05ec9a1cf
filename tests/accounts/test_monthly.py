"""The review of the month before: when it is due, and what is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.accounts.journaled import journaled, settings
from tests.accounts.recorded import MONTH, SERVICES
from tests.core.timetables import wall

from poorwill.accounts.looking_back import month_before, rules_of
from poorwill.accounts.monthly import due, write
from poorwill.accounts.render import Format
from poorwill.errors import StateError

LATER = MONTH.stop + 6 * 3600
FEW = SERVICES[2:]


@pytest.mark.parametrize(
    ("now", "zone", "month"),
    [
        ("2026-11-01 05:59", "Asia/Shanghai", "2026-09"),
        ("2026-11-01 06:00", "Asia/Shanghai", "2026-10"),
        ("2026-11-30 23:59", "Asia/Shanghai", "2026-10"),
        ("2027-01-01 06:00", "Europe/Berlin", "2026-12"),
        ("2026-03-01 05:00", "America/Los_Angeles", "2026-01"),
    ],
)
def test_when_it_is_due(now: str, zone: str, month: str) -> None:
    assert str(due(wall(now, zone), zone)) == month


async def test_what_is_written(tmp_path: Path) -> None:
    known = settings(tmp_path, services=FEW)
    await journaled(known, FEW)
    rules, forms = rules_of(known), (Format.HTML, Format.MARKDOWN)
    names = write(known.state, MONTH, LATER, rules, "zh", forms)
    assert names == ["reviews/2026-10.html", "reviews/2026-10.md"]
    html = known.state / names[0]
    assert "2026 年 10 月回顾" in html.read_text("utf-8")
    assert html.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in html.parent.iterdir()) == ["2026-10.html", "2026-10.md"]
    # Before the journal begins there is nothing to write about.
    assert write(known.state, month_before(month_before(MONTH)), LATER, rules, "zh", forms) == []

    html.unlink()
    html.mkdir()
    with pytest.raises(StateError, match="the review of 2026-10 cannot be written") as caught:
        write(known.state, MONTH, LATER, rules, "en", forms)
    assert "tried again" in caught.value.hint
