"""``kill -9`` at any moment loses nothing that was acknowledged and breaks nothing in two."""

from __future__ import annotations

import itertools
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from poorwill.store.journal import FILE, Event, Journal

ROUNDS = 10

_APPEND = """
import asyncio, itertools, sys
from pathlib import Path
from poorwill.core.model import Now
from poorwill.store.journal import Entry, Journal, Kind

async def main():
    journal = await Journal.open(Path(sys.argv[1]))
    for number in itertools.count():
        group = {"group": f"{sys.argv[2]}-{number}", "of": number % 3 + 1}
        entry = Entry(Kind.PHASE, f"s{number % 7}", reason="x" * (number % 500), detail=group)
        print((await journal.append(Now(1.0, 1.0, "b"), *[entry] * group["of"]))[-1].id, flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_killed_in_the_middle_of_thousands_of_appends(tmp_path: Path) -> None:
    total = 0
    for turn in range(ROUNDS):
        acknowledged = _killed_after(tmp_path, turn, acks=random.randint(0, 400))
        total = max(total, acknowledged)
        check = sqlite3.connect(tmp_path / FILE)
        assert check.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        check.close()
        journal = await Journal.open(tmp_path)
        events = await journal.events(limit=1_000_000)
        await journal.close()
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        assert len(events) >= total
        assert _halves(events) == []
        total = len(events)
    assert total > 500


def _killed_after(folder: Path, turn: int, acks: int) -> int:
    """Let a child append until it has acknowledged so many, kill it; the last id it acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-c", _APPEND, folder, str(turn)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child, child.stdout:
        lines = list(itertools.islice(child.stdout, acks))
        child.kill()
        lines += child.stdout.readlines()
    whole = [line for line in lines if line.endswith("\n")]
    return int(whole[-1]) if whole else 0


def _halves(events: list[Event]) -> list[str]:
    found = Counter((event.detail["group"], event.detail["of"]) for event in events)
    return [group for (group, wanted), count in found.items() if count != wanted]
