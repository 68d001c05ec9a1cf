"""The journal: what was asked, meant and done, written down before anything depends on it.

SQLite in one file, append-only. Everything that touches the disk runs in threads of its own, and only
one of them writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from weakref import WeakSet

from poorwill.core.model import Now
from poorwill.errors import StateError
from poorwill.store import kinds, ledger, queries
from poorwill.store.archive import Archive, open_archive
from poorwill.store.database import engine, prepare
from poorwill.store.event import Entry, Event, Json, Kind, row_of
from poorwill.store.line import Line
from poorwill.store.restored import Restored, RestoredInstance
from poorwill.store.subscription import Subscription

__all__ = [
    "FILE",
    "Archive",
    "Entry",
    "Event",
    "Journal",
    "Json",
    "Kind",
    "Restored",
    "RestoredInstance",
    "Subscription",
    "read_only",
]

FILE = "journal.db"


def read_only(folder: Path) -> Archive:
    """The journal of a state folder for reading, whether or not a Poorwill is running.

    Blocks. Raises StateError when there is none, or one that this version cannot read.
    """
    return open_archive(folder / FILE)


class Journal:
    """Made by ``open``. Every method raises StateError when the file fails or the journal is closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = Line(path, engine(path, read_only=False), "write to")
        self._reader = Line(path, engine(path, read_only=True), "read")
        self._subscriptions: WeakSet[Subscription] = WeakSet()
        self._last = 0
        self._closed = False

    @classmethod
    async def open(cls, folder: Path) -> Journal:
        """Open the journal of this state folder; make it when there is none, upgrade it when it is old.

        Raises StateError when it is not writable, not a journal, damaged, or written by a newer version;
        the file is then left as it was.
        """
        path = folder / FILE
        await asyncio.to_thread(prepare, path)
        journal = cls(path)
        try:
            journal._last = await journal._writer.run(queries.last_id)
        except BaseException:
            await journal.close()
            raise
        return journal

    async def append(self, now: Now, *entries: Entry) -> list[Event]:
        """Write the entries down, all or none; when this returns they survive a power cut.

        A caller that is cancelled meanwhile cannot know whether they were written.
        """
        self._must_be_open()
        rows = [row_of(entry, now) for entry in entries]
        if not rows:
            return []
        return await self._writer.run(lambda connection: queries.insert_events(connection, rows), self._tell)

    async def events(
        self,
        *,
        service: str | None = None,
        after: int = 0,
        limit: int = 200,
        newest_first: bool = False,
    ) -> list[Event]:
        """Events with an id above ``after``: the oldest ``limit`` of them, or the newest, newest first."""
        self._must_be_open()
        return await self._reader.run(
            lambda connection: queries.select_events(connection, service, after, limit, newest_first)
        )

    async def restore(self) -> Mapping[str, Restored]:
        """What a restart needs to know, for each service that was ever written down."""
        self._must_be_open()
        return await self._reader.run(queries.restore)

    async def reviews(self) -> list[Event]:
        """Every month that was looked back on, the oldest first."""
        self._must_be_open()
        return await self._reader.run(lambda connection: kinds.events_of(connection, Kind.REVIEW))

    async def terms(self) -> list[Event]:
        """Every change of what is paid for what, the oldest first."""
        self._must_be_open()
        return await self._reader.run(lambda connection: kinds.events_of(connection, Kind.TERMS))

    async def ledger(self, since: float, until: float) -> list[Event]:
        """As ``Archive.ledger``."""
        self._must_be_open()
        return await self._reader.run(lambda connection: ledger.select_ledger(connection, since, until))

    def subscribe(self, *, service: str | None = None, after: int | None = None) -> Subscription:
        """Every event written from now on (or with an id above ``after``), in order, none left out.

        Iterate over it with ``async for``; it ends when the journal is closed.
        """
        self._must_be_open()
        subscription = Subscription(
            lambda last: self.events(service=service, after=last), self._last if after is None else after
        )
        self._subscriptions.add(subscription)
        return subscription

    async def close(self) -> None:
        """Finish what is being written, end the subscriptions, let go of the file. May be called twice."""
        if self._closed:
            return
        self._closed = True
        for subscription in self._subscriptions:
            subscription.end()
        await self._reader.close()
        await self._writer.close()

    def _tell(self, events: list[Event]) -> None:
        self._last = max(self._last, events[-1].id)
        for subscription in self._subscriptions:
            subscription.wake()

    def _must_be_open(self) -> None:
        if self._closed:
            raise StateError(f"the journal {self.path} is closed")
