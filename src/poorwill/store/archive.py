"""The journal without a running Poorwill: for commands that only look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from poorwill.errors import StateError
from poorwill.store import kinds, ledger, queries
from poorwill.store.absences import select_absences
from poorwill.store.alerts import select_alerts
from poorwill.store.between import select_between
from poorwill.store.database import check_revision, engine, in_words
from poorwill.store.event import Event, Kind
from poorwill.store.restored import Restored
from poorwill.store.schema import HEAD


class Archive:
    """A journal that is only read, also while another process writes to it. Blocks; use it as a context."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path, self._connection = path, connection

    def events(
        self,
        *,
        service: str | None = None,
        after: int = 0,
        limit: int = 200,
        newest_first: bool = False,
    ) -> list[Event]:
        """As ``Journal.events``."""
        with in_words(self.path, "read"), self._connection.begin():
            return queries.select_events(self._connection, service, after, limit, newest_first)

    def restore(self) -> Mapping[str, Restored]:
        """As ``Journal.restore``."""
        with in_words(self.path, "read"), self._connection.begin():
            return queries.restore(self._connection)

    def alerts(self, service: str, since: float) -> list[Event]:
        """Those about a service as a whole, or (empty) about the program, oldest first."""
        with in_words(self.path, "read"), self._connection.begin():
            return select_alerts(self._connection, service, since)

    def terms(self) -> list[Event]:
        """Every change of what is paid for what, the oldest first."""
        with in_words(self.path, "read"), self._connection.begin():
            return kinds.events_of(self._connection, Kind.TERMS)

    def between(self, kinds: Iterable[Kind], since: float, until: float) -> list[Event]:
        """Events of these kinds within a time, the oldest first."""
        with in_words(self.path, "read"), self._connection.begin():
            return select_between(self._connection, kinds, since, until)

    def first(self) -> Event | None:
        """Where the journal begins; None when nothing is in it."""
        with in_words(self.path, "read"), self._connection.begin():
            return kinds.first_event(self._connection)

    def ledger(self, since: float, until: float) -> list[Event]:
        """Everything that must be known to bill a time, oldest first; see ``store.ledger``."""
        with in_words(self.path, "read"), self._connection.begin():
            return ledger.select_ledger(self._connection, since, until)

    def missing(self, since: float, until: float) -> int:
        """How many lines of this time are not there any more, because the file was damaged or cut."""
        with in_words(self.path, "read"), self._connection.begin():
            return kinds.missing_lines(self._connection, since, until)

    def absences(self, since: float, until: float) -> list[tuple[float, float | None]]:
        """When no Poorwill ran; the last is what comes after the last line, and has no end."""
        with in_words(self.path, "read"), self._connection.begin():
            return select_absences(self._connection, since, until)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_archive(path: Path) -> Archive:
    """Raises StateError when there is no journal, or one that this version cannot read."""
    if not path.exists():
        raise StateError(f"there is no journal at {path}", hint="`poorwill up` begins one")
    with in_words(path, "read"):
        connection = engine(path, read_only=True).connect()
        try:
            with connection.begin():
                current = check_revision(connection, path)
        except BaseException:
            connection.close()
            raise
    if current != HEAD:
        connection.close()
        raise StateError(
            f"the journal {path} has not been upgraded to this version yet",
            hint="run `poorwill up` once",
        )
    return Archive(path, connection)
