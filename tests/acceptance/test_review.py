"""The review of last month lies there after `up`."""

from __future__ import annotations

import time
from pathlib import Path

from tests.acceptance.conftest import Start
from tests.acceptance.running import Up, service, until

from poorwill.accounts.monthly import due
from poorwill.core.model import Now
from poorwill.store.event import Entry, Kind
from poorwill.store.journal import Journal


async def test_last_month_is_looked_back_on(up: Start, tmp_path: Path) -> None:
    month = due(time.time(), "UTC")
    at = month.start + 10 * 86_400
    gateway = Up(tmp_path, {})
    gateway.state.mkdir()
    journal = await Journal.open(gateway.state)
    life = ((0, Kind.START), (60, Kind.READY), (7140, Kind.STOP), (7200, Kind.STOPPED))
    for after, kind in life:
        await journal.append(Now(at + after, float(after), "then"), Entry(kind, "it", "it-1"))
    await journal.close()

    gateway = await up(lambda folder: {"it": service(folder, "it")}, timezone="UTC", review={"monthly": True})
    (event,) = await until(lambda: gateway.events("", "review"), "the review is written")
    assert event["detail"]["files"] == [f"reviews/{month}.html", f"reviews/{month}.md"]
    assert "| it: hours | 2 h |" in (gateway.state / f"reviews/{month}.md").read_text("utf-8")
