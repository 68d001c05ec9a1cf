"""A connection with a thread of its own, so that the event loop never waits for the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from poorwill.store.database import in_words

T = TypeVar("T")


class Line:
    """Works off what it is given, one after the other, each in one transaction.

    ``doing`` completes "cannot … the journal".
    """

    def __init__(self, path: Path, source: Engine, doing: str) -> None:
        self._path, self._source, self._doing = path, source, doing
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"journal {doing}")

    async def run(self, work: Callable[[Connection], T], done: Callable[[T], None] | None = None) -> T:
        """Do ``work``; once committed, call ``done`` in the event loop, even if nobody waits any more.

        Raises StateError. A caller that is cancelled does not stop what is under way.
        """
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

        def report(ended: asyncio.Future[T]) -> None:
            if done is not None and not ended.cancelled() and ended.exception() is None:
                done(ended.result())

        future.add_done_callback(report)
        return await asyncio.shield(future)

    async def close(self) -> None:
        """Finish what was given and let go of the connection."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _run(self, work: Callable[[Connection], T]) -> T:
        with in_words(self._path, self._doing):
            if self._connection is None:
                self._connection = self._source.connect()
            with self._connection.begin():
                return work(self._connection)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
