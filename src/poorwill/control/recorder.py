"""One ordered, durable way into the journal, which never blocks the loop.

What is given together is committed together. While the journal cannot be written (a full disk), notes wait
in order and are written when it can be again. What needs its line on the disk first is refused meanwhile.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import structlog

from poorwill import clock
from poorwill.core.model import Now
from poorwill.errors import StateError
from poorwill.store.journal import Entry, Journal, Kind

log = structlog.get_logger()

RETRY_PAUSE = 1.0

MOST = 10_000
"""Entries that wait at most. Beyond that the oldest of those that nothing depends on are left out."""

EXPENDABLE = frozenset({Kind.PHASE, Kind.NOTED, Kind.CALL_FAILED, Kind.BUSY, Kind.GATEWAY, Kind.USED})
"""Kinds that neither a restart nor a bill needs."""


@dataclass(frozen=True, slots=True, eq=False)
class _Owner:
    """Who waits for his entries; with ``keeps`` they stay when they cannot be written at once."""

    done: asyncio.Future[bool]
    keeps: bool

    def settle(self, error: StateError | None) -> bool:
        """Tell him; returns whether his entries are withdrawn."""
        if self.done.done():
            return False
        if error is None:
            self.done.set_result(True)
        elif self.keeps:
            self.done.set_result(False)
        else:
            self.done.set_exception(error)
            return True
        return False


_Item = tuple[Now, Entry, _Owner | None]


class Recorder:
    """``changed`` is called when the journal cannot be written any more, and when it can be again."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[_Item] = []
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._being_written = 0
        self._left_out = 0
        self.trouble = ""
        self.changed: Callable[[], None] = lambda: None

    def note(self, now: Now, *entries: Entry) -> None:
        """Write these down soon."""
        self._put(now, entries, None)

    async def commit(self, now: Now, *entries: Entry) -> None:
        """Write these down and return when they are on the disk.

        Raises StateError when that is not possible now; they are not written later either.
        """
        await self._owned(now, entries, keeps=False)

    async def record(self, now: Now, *entries: Entry, within: float) -> bool:
        """Write these down, and wait for the disk for so many seconds; false when they are written later."""
        try:
            async with asyncio.timeout(within):
                return await self._owned(now, entries, keeps=True)
        except TimeoutError:
            return False

    async def run(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._waiting:
                await self._write(self._waiting[0][0])
            self._idle.set()

    async def flush(self, timeout: float) -> bool:
        """Wait until everything is written; false when that took longer than ``timeout`` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def _owned(self, now: Now, entries: tuple[Entry, ...], *, keeps: bool) -> bool:
        owner = _Owner(asyncio.get_running_loop().create_future(), keeps)
        self._put(now, entries, owner)
        return await owner.done

    async def _write(self, now: Now) -> None:
        """Commit the longest run of entries that were made at the same moment."""
        others = (i for i, item in enumerate(self._waiting) if item[0] is not now)
        count = next(others, len(self._waiting))
        batch, self._being_written = self._waiting[:count], count
        try:
            await self._journal.append(now, *(entry for _, entry, _ in batch))
        except StateError as error:
            self._being_written = 0
            self._refuse(error)
            await asyncio.sleep(RETRY_PAUSE)
            return
        del self._waiting[:count]
        self._being_written = 0
        for owner in _owners(batch):
            owner.settle(None)
        if self.trouble:
            self._recover()

    def _refuse(self, error: StateError) -> None:
        """The journal cannot be written: whoever has to know is told, and what he gave withdrawn."""
        begins = not self.trouble
        self.trouble = str(error)
        withdrawn = {owner for owner in _owners(self._waiting) if owner.settle(error)}
        self._waiting = [item for item in self._waiting if item[2] not in withdrawn]
        if begins:
            log.error("the journal cannot be written; it is tried again", error=str(error), hint=error.hint)
            # It is also what shows when the journal can be written again.
            self.note(clock.now(), Entry(Kind.NOTED, reason=f"the journal could not be written: {error}"))
            self.changed()

    def _recover(self) -> None:
        log.info("the journal can be written again", waiting=len(self._waiting))
        self.trouble = ""
        if self._left_out:
            words = f"{self._left_out} events are not in the journal: it could not be written for too long"
            self._left_out = 0
            self.note(clock.now(), Entry(Kind.NOTED, reason=words))
        self.changed()

    def _put(self, now: Now, entries: tuple[Entry, ...], owner: _Owner | None) -> None:
        for entry in entries:
            json.dumps(dict(entry.detail), allow_nan=False)  # whoever gives what is no JSON is told at once
        self._waiting += [(now, entry, owner) for entry in entries]
        if self.trouble and len(self._waiting) > MOST:
            self._make_room()
        self._idle.clear()
        self._filled.set()

    def _make_room(self) -> None:
        """Leave out a tenth at once, so that this is not done for each."""
        spare = (i for i, (_, entry, owner) in enumerate(self._waiting) if owner is None and _spare(entry))
        gone = set(islice((i for i in spare if i >= self._being_written), MOST // 10))
        self._left_out += len(gone)
        self._waiting = [item for i, item in enumerate(self._waiting) if i not in gone]


def _spare(entry: Entry) -> bool:
    return entry.kind in EXPENDABLE


def _owners(items: list[_Item]) -> set[_Owner]:
    return {owner for _, _, owner in items if owner is not None}
