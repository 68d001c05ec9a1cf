"""Every way to the newest revision ends at the same tables, with every event kept."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from poorwill.core.model import Now
from poorwill.errors import StateError
from poorwill.store import database, migrate
from poorwill.store.journal import Entry, Journal, Kind
from poorwill.store.schema import HEAD, REVISIONS, metadata

FIRST = Path(__file__).parent / "revision_0001.sql"
"""A journal as revision 1 wrote it (``sqlite3 journal.db .dump``). Never made anew."""


def shape(path: Path) -> set[tuple[str, str]]:
    """Every table, index and trigger with the words that made it."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {(name, " ".join(sql.split())) for name, sql in found}


def test_the_list_of_revisions_is_the_one_of_the_files() -> None:
    scripts = ScriptDirectory.from_config(migrate.config())
    assert [script.revision for script in reversed(list(scripts.walk_revisions()))] == list(REVISIONS)
    assert scripts.get_heads() == [HEAD]


def test_the_migrations_end_at_the_tables_that_are_queried(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    database.prepare(path)
    with database.engine(path, read_only=True).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_preparing_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    database.prepare(path)
    before, shaped = path.read_bytes(), shape(path)
    database.prepare(path)
    database._migrate(path)
    assert (path.read_bytes(), shape(path)) == (before, shaped)


async def test_a_journal_of_the_first_revision_is_brought_up(tmp_path: Path, now: Now) -> None:
    old = sqlite3.connect(tmp_path / "journal.db")
    old.executescript(FIRST.read_text())
    old.close()
    journal = await Journal.open(tmp_path)
    events = await journal.events()
    assert [(event.id, event.kind) for event in events] == [(1, Kind.UP), (2, Kind.START), (3, Kind.STARTED)]
    assert events[1].detail == {"prepared": {"port": 4711}}
    assert events[1].at == 1_800_000_000.25
    assert (await journal.restore())["notes"].instances["notes-1"].handle == {"pid": 99}
    assert [event.id for event in await journal.append(now, Entry(Kind.UP))] == [4]
    await journal.close()
    database.prepare(tmp_path / "fresh" / "journal.db")
    assert shape(tmp_path / "journal.db") == shape(tmp_path / "fresh" / "journal.db")


def test_an_upgrade_that_breaks_off_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"

    def broken(connection: Connection) -> None:
        whole(connection)
        connection.exec_driver_sql("CREATE TABLE event (again INTEGER)")

    whole = migrate.migrate
    monkeypatch.setattr(migrate, "migrate", broken)
    with pytest.raises(StateError, match="cannot upgrade the journal"):
        database.prepare(path)
    assert shape(path) == set()
    monkeypatch.undo()
    database.prepare(path)
    assert len(shape(path)) > 4
