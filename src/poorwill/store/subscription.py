"""New events as they come, for whoever follows the journal.

A subscription is a place in the journal, not a queue: a reader that is slow or gone costs no memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Self

from poorwill.store.event import Event


class Subscription:
    """An asynchronous iterator for one reader; it ends when the journal is closed."""

    def __init__(self, read: Callable[[int], Awaitable[list[Event]]], after: int) -> None:
        self._read, self._after = read, after
        self._batch: deque[Event] = deque()
        self._news = asyncio.Event()
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._batch:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()  # before reading: what is committed meanwhile wakes us again
            self._batch.extend(await self._read(self._after))
            if not self._batch:
                await self._news.wait()
        found = self._batch.popleft()
        self._after = found.id
        return found

    def wake(self) -> None:
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()
