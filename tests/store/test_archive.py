"""The journal can be read when nothing runs, and while another process writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from poorwill.core.model import Now
from poorwill.errors import StateError
from poorwill.store.database import prepare
from poorwill.store.journal import FILE, Entry, Journal, Kind, read_only

_WRITE = """
import asyncio, sys
from pathlib import Path
from poorwill.core.model import Now
from poorwill.store.database import prepare
from poorwill.store.journal import Entry, Journal, Kind

async def main():
    journal = await Journal.open(Path(sys.argv[1]))
    for number in range(300):
        await journal.append(Now(1.0, 1.0, "b"), Entry(Kind.PHASE, "a"), Entry(Kind.START, "a", "a-1"))
    await journal.close()

asyncio.run(main())
"""


async def test_when_nothing_runs(tmp_path: Path, now: Now) -> None:
    journal = await Journal.open(tmp_path)
    written = await journal.append(now, Entry(Kind.PHASE, "a"), Entry(Kind.START, "b", "b-1"))
    restored = await journal.restore()
    await journal.close()
    with read_only(tmp_path) as archive:
        assert archive.events() == written
        assert archive.events(service="b", limit=1, newest_first=True) == written[1:]
        assert archive.restore() == restored


async def test_it_cannot_write(tmp_path: Path) -> None:
    await (await Journal.open(tmp_path)).close()
    with read_only(tmp_path) as archive, pytest.raises(Exception, match="readonly"):
        archive._connection.exec_driver_sql("CREATE TABLE x (y INTEGER)")


async def test_what_is_written_later_is_seen(tmp_path: Path, now: Now) -> None:
    journal = await Journal.open(tmp_path)
    with read_only(tmp_path) as archive:
        assert archive.events() == []
        written = await journal.append(now, Entry(Kind.UP))
        assert archive.events() == written
    await journal.close()


def test_beside_a_writing_process(tmp_path: Path) -> None:
    prepare(tmp_path / FILE)
    writer = subprocess.Popen([sys.executable, "-c", _WRITE, tmp_path])
    seen: list[int] = []
    with read_only(tmp_path) as archive:
        while writer.poll() is None:
            ids = [event.id for event in archive.events(limit=1000)]
            assert len(ids) >= len(seen)
            assert len(ids) % 2 == 0  # never half an append
            seen = ids
        assert [event.id for event in archive.events(limit=1000)] == list(range(1, 601))
    assert writer.returncode == 0


def test_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="there is no journal") as caught:
        read_only(tmp_path)
    assert "poorwill up" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_one_that_was_never_finished(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    with pytest.raises(StateError, match="not been upgraded"):
        read_only(tmp_path)


def test_garbage(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"garbage " * 1000)
    with pytest.raises(StateError, match=r"cannot read the journal .*not a database"):
        read_only(tmp_path)
