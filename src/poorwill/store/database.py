"""The journal's file: made private, looked at before it is touched, and every failure put into words.

Setting up SQLite is the only part of the store that another database would replace.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, inspect, text
from sqlalchemy import event as hooks
from sqlalchemy.exc import DBAPIError

from poorwill.errors import StateError
from poorwill.store.schema import HEAD, REVISIONS

BUSY_SECONDS = 5.0
"""How long a writer waits for another process that writes (an operator's ``sqlite3``, a backup)."""

_LOST = (
    "move the file away: Poorwill then begins a new journal and looks at what runs;"
    " or put a backup of it in its place. `sqlite3 FILE .recover` may save what is readable"
)
_HINTS = {
    "SQLITE_FULL": "make room on that disk; nothing was half-written",
    "SQLITE_READONLY": "make the folder and the file writable for the user that runs Poorwill",
    "SQLITE_CANTOPEN": "it must be a file, in a folder that the user running Poorwill can write to",
    "SQLITE_CORRUPT": _LOST,
    "SQLITE_NOTADB": _LOST,
    "SQLITE_BUSY": "another program holds the journal locked: end it, or wait until it is done",
    "SQLITE_IOERR": "the disk refused: see whether it is full or failing (`df`, `dmesg`)",
}


@contextmanager
def in_words(path: Path, doing: str) -> Iterator[None]:
    """Turn what the system or the database raises into a StateError that names the file."""
    try:
        yield
    except OSError as error:
        raise StateError(
            f"cannot {doing} the journal {path}: {error.strerror or error}",
            hint="the state folder must be one that the user running Poorwill can write to",
        ) from error
    except DBAPIError as error:
        raise _stated(path, doing, error.orig or error) from error
    except sqlite3.Error as error:
        raise _stated(path, doing, error) from error


def _stated(path: Path, doing: str, error: BaseException) -> StateError:
    name = str(getattr(error, "sqlite_errorname", ""))
    hint = next((hint for code, hint in _HINTS.items() if name.startswith(code)), "")
    return StateError(f"cannot {doing} the journal {path}: {error}", hint=hint)


def engine(path: Path, *, read_only: bool) -> Engine:
    """Connections to an existing file. Transactions are begun here: Python's own leave schema changes out."""
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA foreign_keys=ON")
        if not read_only:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        return connection

    made = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)

    @hooks.listens_for(made, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return made


def prepare(path: Path) -> None:
    """Make the file when it is missing, look whether it is sound, and bring it to the newest revision.

    A file that cannot be used is left as it is. Raises StateError.
    """
    with in_words(path, "open"):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with engine(path, read_only=True).begin() as connection:
            _look_for_damage(connection, path)
            current = check_revision(connection, path)
        path.chmod(0o600)  # one that was copied here may be open to others
    if current != HEAD:
        _migrate(path)


def check_revision(connection: Connection, path: Path) -> str | None:
    """The revision of the file, None for an empty one; StateError when it is not one of ours."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise StateError(f"{path} is a database, but not a journal of Poorwill", hint=_LOST)
    current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if current is not None and current not in REVISIONS:
        raise StateError(
            f"the journal {path} was written by a newer Poorwill (its revision is {current}, this one"
            f" knows up to {HEAD})",
            hint="install that version again, or use another state folder",
        )
    return current


def _look_for_damage(connection: Connection, path: Path) -> None:
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        raise StateError(f"the journal {path} is damaged: {found}", hint=_LOST)


def _migrate(path: Path) -> None:
    from poorwill.store.migrate import migrate  # Alembic: a quarter of a second, needed once in a release

    with in_words(path, "upgrade"), engine(path, read_only=False).begin() as connection:
        migrate(connection)
