"""One ordered, durable way into the journal, which never blocks the loop.

What is given together is committed together. When the journal cannot be written (a full disk), entries
wait in order and nothing is lost; whoever needs the commit first (an intent) waits with them.
"""

from __future__ import annotations

import asyncio
import json

import structlog

from poorwill.core.model import Now
from poorwill.errors import StateError
from poorwill.store.journal import Entry, Journal

log = structlog.get_logger()

RETRY_PAUSE = 1.0


class Recorder:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[tuple[Now, Entry, asyncio.Future[None] | None]] = []
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.trouble = ""

    def note(self, now: Now, *entries: Entry) -> None:
        """Write these down soon."""
        self._put(now, entries, None)

    async def commit(self, now: Now, *entries: Entry) -> None:
        """Write these down and return when they are on the disk."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(now, entries, done)
        await done

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

    async def _write(self, now: Now) -> None:
        """Commit the longest run of entries that were made at the same moment."""
        others = (i for i, item in enumerate(self._waiting) if item[0] is not now)
        count = next(others, len(self._waiting))
        batch = self._waiting[:count]
        try:
            await self._journal.append(now, *(entry for _, entry, _ in batch))
        except StateError as error:
            if not self.trouble:
                log.error(
                    "the journal cannot be written; it is tried again", error=str(error), hint=error.hint
                )
            self.trouble = str(error)
            await asyncio.sleep(RETRY_PAUSE)
            return
        if self.trouble:
            log.info("the journal can be written again")
            self.trouble = ""
        del self._waiting[:count]
        for _, _, done in batch:
            if done is not None and not done.done():
                done.set_result(None)

    def _put(self, now: Now, entries: tuple[Entry, ...], done: asyncio.Future[None] | None) -> None:
        for entry in entries:
            json.dumps(dict(entry.detail), allow_nan=False)  # whoever gives what is no JSON is told at once
        last = len(entries) - 1
        for index, entry in enumerate(entries):
            self._waiting.append((now, entry, done if index == last else None))
        self._idle.clear()
        self._filled.set()
