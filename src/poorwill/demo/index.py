"""The persisted index: documents as plain files, passages in SQLite FTS5; the two agree after every start.

The folder ``documents/`` is the truth and ``index.db`` follows it: on opening, files that the index does not
know in their present form are read again, and entries without a file go. So a process killed between the two
writes of an upload, a lost index and a file copied in by hand are all the same case.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from poorwill.demo.tables import Document, open_for_reading, open_for_writing, put, remove, transaction
from poorwill.demo.terms import match_expression

log = logging.getLogger(__name__)

SUFFIXES = (".txt", ".md")
_UNFINISHED = ".incoming-"


class FolderUnusable(Exception):
    """The data folder cannot be read or written; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Candidate:
    document: str
    heading: str
    text: str
    bm25: float  # greater is better


class Index:
    """Open it once; every method may be called from any thread. Raises FolderUnusable."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "documents"
        self._path = data / "index.db"
        self._writing = threading.Lock()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._writer = self._opened()
        except (OSError, sqlite3.Error) as error:
            raise FolderUnusable(f"cannot use the data folder {data}: {error}") from error

    def close(self) -> None:
        with self._writing:
            self._writer.close()

    def add(self, name: str, text: str) -> Document:
        """Stores and indexes a text, or replaces the one of that name. When it returns, both are on disk.

        ``name`` must be a plain file name. Raises OSError or sqlite3.Error when the disk refuses.
        """
        fresh = self._folder / f"{_UNFINISHED}{os.getpid()}-{threading.get_ident()}"
        with self._writing:
            try:
                with fresh.open("w", encoding="utf-8", newline="") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                with transaction(self._writer):
                    stored = put(self._writer, name, text, fresh.stat())
                    fresh.replace(self._folder / name)
                    _fsync_folder(self._folder)
            finally:
                fresh.unlink(missing_ok=True)
        return stored

    def documents(self) -> list[Document]:
        with closing(open_for_reading(self._path)) as reader:
            rows = reader.execute("SELECT name, bytes, passages FROM document ORDER BY id").fetchall()
        return [Document(*row) for row in rows]

    def candidates(self, wanted: list[str], limit: int) -> list[Candidate]:
        """The passages that hold any of the wanted terms, best bm25 first."""
        with closing(open_for_reading(self._path)) as reader:
            rows = reader.execute(
                "SELECT d.name, p.heading, p.text, -bm25(search) FROM search"
                " JOIN passage p ON p.id = search.rowid JOIN document d ON d.id = p.document"
                " WHERE search MATCH ? ORDER BY rank, p.id LIMIT ?",
                (match_expression(wanted), limit),
            ).fetchall()
        return [Candidate(*row) for row in rows]

    def frequencies(self, wanted: list[str]) -> tuple[int, dict[str, int]]:
        """How many passages there are, and how many of them hold each wanted term (absent: none)."""
        with closing(open_for_reading(self._path)) as reader:
            total = reader.execute("SELECT count(*) FROM passage").fetchone()[0]
            rows = reader.execute(
                "SELECT term, doc FROM vocabulary WHERE term IN (SELECT value FROM json_each(?))",
                (json.dumps(wanted),),
            ).fetchall()
        return total, dict(rows)

    def _opened(self) -> sqlite3.Connection:
        """The connection for writing, the index up to date. A damaged index is put aside and built again."""
        try:
            return self._opened_as_it_is()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise
            aside = self._path.with_name(f"index.db.damaged-{int(time.time())}")
            log.warning(
                "the index is damaged (%s): kept as %s, built anew from the documents", error, aside.name
            )
            self._path.replace(aside)
            for rest in ("-wal", "-shm"):
                self._path.with_name(f"index.db{rest}").unlink(missing_ok=True)
            return self._opened_as_it_is()

    def _opened_as_it_is(self) -> sqlite3.Connection:
        connection = open_for_writing(self._path)
        try:
            _follow(self._folder, connection)
        except BaseException:
            connection.close()
            raise
        return connection


def _follow(folder: Path, connection: sqlite3.Connection) -> None:
    """Makes the index hold what the folder holds, one transaction for each file that differs."""
    known = {
        name: (size, mtime)
        for name, size, mtime in connection.execute("SELECT name, bytes, mtime_ns FROM document")
    }
    present: dict[str, os.stat_result] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(_UNFINISHED):
            path.unlink()  # an upload that was never finished, nor answered
        elif path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file():
            present[path.name] = path.stat()
    for name, stat in present.items():
        if known.get(name) == (stat.st_size, stat.st_mtime_ns):
            continue
        try:
            text = (folder / name).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            log.warning("%s is not UTF-8 text and is left out", name)
            continue
        with transaction(connection):
            put(connection, name, text, stat)
    for name in known.keys() - present.keys():
        with transaction(connection):
            remove(connection, name)


def _fsync_folder(folder: Path) -> None:
    """Makes a rename durable. Windows cannot open folders and does not need it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
