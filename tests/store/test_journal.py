"""What is appended is there, in order, at once and for ever."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.patience import PATIENCE

from poorwill.core.model import Now
from poorwill.errors import StateError
from poorwill.store import database
from poorwill.store.journal import Entry, Journal, Kind


async def test_appended_events_are_read_back(journal: Journal, now: Now) -> None:
    written = await journal.append(
        now,
        Entry(Kind.START, "notes", "notes-1", "a request waits", {"prepared": {"port": 4711}}),
        Entry(Kind.PHASE, "notes", reason="waking"),
    )
    assert [event.id for event in written] == [1, 2]
    assert (written[0].at, written[0].mono, written[0].boot) == (now.wall, now.mono, now.boot)
    assert written[0].detail == {"prepared": {"port": 4711}}
    assert await journal.events() == written


async def test_reading_a_part(journal: Journal, now: Now) -> None:
    for number in range(10):
        await journal.append(now, Entry(Kind.PHASE, "ab"[number % 2], reason=str(number)))

    async def ids(**which: object) -> list[int]:
        return [event.id for event in await journal.events(**which)]  # type: ignore[arg-type]

    assert await ids(limit=3) == [1, 2, 3]
    assert await ids(after=8) == [9, 10]
    assert await ids(service="b") == [2, 4, 6, 8, 10]
    assert await ids(service="b", after=4, limit=2) == [6, 8]
    assert await ids(newest_first=True, limit=2) == [10, 9]
    assert await ids(service="a", newest_first=True, limit=2, after=7) == [9]
    assert await ids(service="nobody") == []


async def test_it_is_all_there_after_reopening(tmp_path: Path, now: Now) -> None:
    first = await Journal.open(tmp_path)
    written = await first.append(now, Entry(Kind.UP), Entry(Kind.DOWN))
    await first.close()
    second = await Journal.open(tmp_path)
    assert await second.events() == written
    assert [event.id for event in await second.append(now, Entry(Kind.UP))] == [3]
    await second.close()


async def test_nothing_to_append_is_fine(journal: Journal, now: Now) -> None:
    assert await journal.append(now) == []


async def test_an_append_is_whole_or_not_at_all(journal: Journal, now: Now) -> None:
    with pytest.raises(TypeError):
        await journal.append(now, Entry(Kind.UP), Entry(Kind.DOWN, detail={"x": object()}))
    nowhen = Now(now.wall, float("nan"), now.boot)  # SQLite makes NULL of it, which the table refuses
    with pytest.raises(StateError, match="cannot write to the journal"):
        await journal.append(nowhen, Entry(Kind.UP), Entry(Kind.DOWN))
    assert await journal.events() == []
    assert [event.id for event in await journal.append(now, Entry(Kind.UP))] == [1]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event SET reason = 'other'",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event SELECT 1, 1, 1, '', 'up', '', '', 'other', '{}'",
    ],
)
async def test_what_is_written_stays(journal: Journal, now: Now, change: str) -> None:
    written = await journal.append(now, Entry(Kind.UP, reason="first"))
    other = sqlite3.connect(journal.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(change)
    other.close()
    assert await journal.events() == written


async def test_appends_at_once_are_all_kept(journal: Journal, now: Now) -> None:
    written = await asyncio.gather(
        *(journal.append(now, Entry(Kind.PHASE, f"s{n}"), Entry(Kind.START, f"s{n}")) for n in range(50))
    )
    assert sorted(event.id for pair in written for event in pair) == list(range(1, 101))
    for first, second in written:
        assert second.id == first.id + 1
        assert first.service == second.service


async def test_a_locked_file_holds_up_the_append_and_nothing_else(journal: Journal, now: Now) -> None:
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.TaskGroup() as group:
        append = group.create_task(journal.append(now, Entry(Kind.UP)))
        for _ in range(20):  # the loop turns, and readers read
            assert await journal.events() == []
        assert not append.done()
        other.execute("ROLLBACK")
    other.close()
    assert await journal.events() == append.result()


async def test_locked_for_too_long(tmp_path: Path, now: Now, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    journal = await Journal.open(tmp_path)
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateError, match="locked") as caught:
        await journal.append(now, Entry(Kind.UP))
    assert "another program" in caught.value.hint
    other.execute("ROLLBACK")
    other.close()
    assert len(await journal.append(now, Entry(Kind.UP))) == 1
    await journal.close()


async def test_a_connection_left_in_disorder_recovers(journal: Journal, now: Now) -> None:
    def break_it() -> None:
        assert journal._writer._connection is not None
        raw = journal._writer._connection.connection.driver_connection
        assert raw is not None
        raw.execute("BEGIN")  # as if a rollback had failed

    await asyncio.get_running_loop().run_in_executor(journal._writer._thread, break_it)
    with pytest.raises(StateError, match="within a transaction"):
        await journal.append(now, Entry(Kind.UP))
    assert [event.id for event in await journal.append(now, Entry(Kind.UP))] == [1]


async def test_a_cancelled_append_is_still_written_and_told(journal: Journal, now: Now) -> None:
    news = journal.subscribe()
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await journal.append(now, Entry(Kind.START, "notes"))
    other.execute("ROLLBACK")
    other.close()
    async with asyncio.timeout(PATIENCE):
        assert (await anext(news)).kind is Kind.START


async def test_a_closed_journal_says_so(tmp_path: Path, now: Now) -> None:
    journal = await Journal.open(tmp_path)
    await journal.close()
    await journal.close()
    for call in (journal.append(now, Entry(Kind.UP)), journal.events(), journal.restore()):
        with pytest.raises(StateError, match="is closed"):
            await call
    with pytest.raises(StateError, match="is closed"):
        journal.subscribe()
    assert [path.name for path in tmp_path.iterdir()] == ["journal.db"]  # the log was folded into it


async def test_closing_finishes_what_was_given(tmp_path: Path, now: Now) -> None:
    journal = await Journal.open(tmp_path)
    async with asyncio.TaskGroup() as group:
        appends = [group.create_task(journal.append(now, Entry(Kind.UP))) for _ in range(20)]
        await asyncio.sleep(0)
        await journal.close()
    assert [append.result()[0].id for append in appends] == list(range(1, 21))


def test_alembic_is_imported_only_to_upgrade(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys, pathlib; from poorwill.store.journal import Journal\n"
        "asyncio.run(asyncio.wait_for(Journal.open(pathlib.Path(sys.argv[1])), 60))\n"
        "print('alembic' in sys.modules)"
    )

    def run() -> str:
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert [run(), run()] == ["True", "False"]
