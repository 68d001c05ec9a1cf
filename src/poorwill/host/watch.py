"""Notice at once that a process ended, be it our child or not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Protocol

from poorwill.host.table import Identity, Table, is_alive

POLL_EVERY = 0.2
"""Seconds between two looks where the kernel cannot tell us."""


class Watch(Protocol):
    def close(self) -> None:
        """Stop watching; may be called more than once."""


def watch(table: Table, identity: Identity, gone: Callable[[], None]) -> Watch:
    """Call ``gone`` once, from the event loop, when the process has ended (or already had)."""
    descriptor = _open_pidfd(identity.pid)
    if descriptor is None:
        return _Poll(table, identity, gone)
    # Looked at only after opening: from here on the descriptor cannot come to mean another process.
    alive = is_alive(table, identity)
    return _PidFd(descriptor, gone, alive)


def _open_pidfd(pid: int) -> int | None:
    """None where it does not exist or is not allowed, and when the process is gone."""
    open_pidfd: Callable[[int], int] | None = getattr(os, "pidfd_open", None)
    if open_pidfd is None:
        return None
    try:
        return open_pidfd(pid)
    except OSError:
        return None  # an old kernel, a sandbox, too many open files, no such process: polling sees it too


class _PidFd:
    def __init__(self, descriptor: int, gone: Callable[[], None], alive: bool) -> None:
        self._descriptor = descriptor
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._open = True
        if alive:
            self._loop.add_reader(descriptor, self._ended)
        else:
            self._loop.call_soon(self._ended)

    def _ended(self) -> None:
        if self._open:
            self.close()
            self._gone()

    def close(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)


class _Poll:
    def __init__(self, table: Table, identity: Identity, gone: Callable[[], None]) -> None:
        self._table = table
        self._identity = identity
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_soon(self._look)

    def _look(self) -> None:
        # A few microseconds of /proc: not worth a thread.
        if is_alive(self._table, self._identity):
            self._next = self._loop.call_later(POLL_EVERY, self._look)
        else:
            self._gone()

    def close(self) -> None:
        self._next.cancel()
