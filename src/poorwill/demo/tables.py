"""The tables of the index, and the statements that change them inside one transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from poorwill.demo.passages import split
from poorwill.demo.terms import terms

_BUSY_S = 15.0  # how long a statement waits for another connection's commit
_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    passages INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS passage (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES document(id),
    heading TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS passage_document ON passage(document);
CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5(terms, tokenize = 'unicode61 remove_diacritics 0');
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab(search, row);
"""


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    bytes: int
    passages: int


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Creates what is missing. Any thread may use the connection; the caller lets one at a time do so."""
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        # WAL: questions are answered from the last commit while a long upload is being indexed.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    reader = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    reader.execute("PRAGMA query_only = ON")
    return reader


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def put(connection: sqlite3.Connection, name: str, text: str, stat: os.stat_result) -> Document:
    """Indexes a text under a name, in place of what was there. ``stat`` is that of the file that holds it."""
    remove(connection, name)
    passages = list(split(text))
    document = connection.execute(
        "INSERT INTO document (name, bytes, mtime_ns, passages) VALUES (?, ?, ?, ?)",
        (name, stat.st_size, stat.st_mtime_ns, len(passages)),
    ).lastrowid
    for passage in passages:
        rowid = connection.execute(
            "INSERT INTO passage (document, heading, text) VALUES (?, ?, ?)",
            (document, passage.heading, passage.text),
        ).lastrowid
        words = " ".join(terms(f"{passage.heading}\n{passage.text}"))
        connection.execute("INSERT INTO search (rowid, terms) VALUES (?, ?)", (rowid, words))
    return Document(name, stat.st_size, len(passages))


def remove(connection: sqlite3.Connection, name: str) -> None:
    """Forgets a document; nothing happens when there is none of that name."""
    of_name = "(SELECT id FROM document WHERE name = ?)"
    for statement in (
        f"DELETE FROM search WHERE rowid IN (SELECT id FROM passage WHERE document = {of_name})",
        f"DELETE FROM passage WHERE document = {of_name}",
        "DELETE FROM document WHERE name = ?",
    ):
        connection.execute(statement, (name,))
