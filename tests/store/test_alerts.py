"""What a person was told before, looked up by whom it is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from poorwill.core.model import Now
from poorwill.store.journal import Entry, Journal, Kind, read_only


async def test_alerts_about_one_since_a_moment(tmp_path: Path, now: Now) -> None:
    journal = await Journal.open(tmp_path)
    later = replace(now, wall=now.wall + 100)
    await journal.append(now, Entry(Kind.ALERT, "a", reason="old"), Entry(Kind.ALERT, reason="of all"))
    others = (
        Entry(Kind.ALERT, "a", "a-1", "an instance"),
        Entry(Kind.ALERT, "b", reason="b"),
        Entry(Kind.UP),
    )
    await journal.append(
        later, *others, Entry(Kind.ALERT, "a", reason="1"), Entry(Kind.ALERT, "a", reason="2")
    )
    await journal.close()
    with read_only(tmp_path) as archive:
        assert [event.reason for event in archive.alerts("a", later.wall)] == ["1", "2"]
        assert [event.reason for event in archive.alerts("a", 0.0)] == ["old", "1", "2"]
        assert [event.reason for event in archive.alerts("", 0.0)] == ["of all"]
        assert archive.alerts("c", 0.0) == []
