"""An event loop whose time jumps to the next thing to do, so that hours of back-off take milliseconds.

``asyncio.sleep``, ``asyncio.timeout`` and ``poorwill.clock`` all follow it. Work in threads (the journal's)
happens in real time: while some is under way, virtual time stands still.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import selectors
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from poorwill import clock
from poorwill.core.model import Now

BEGIN = 1_000.0
"""Monotonic seconds at the begin of every virtual time."""

WALL = 1_800_000_000.0
STUCK = 20.0
"""Real seconds to wait for a thread before a test is called stuck."""


class Stuck(AssertionError):
    """Nothing is left that could ever happen."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """``wall_offset`` is what somebody set the wall clock forward (or, below zero, back) by."""

    def __init__(self) -> None:
        self.elapsed = BEGIN
        self.wall_offset = 0.0
        self.boot = "boot-1"
        self.outside = 0
        super().__init__(_Selector(self))
        self._clock_resolution = 1e-6  # after some months, floats are coarser than asyncio's own 1e-9

    def time(self) -> float:
        return self.elapsed

    def now(self) -> Now:
        return Now(wall=WALL + self.elapsed - BEGIN + self.wall_offset, mono=self.elapsed, boot=self.boot)

    def until_next_thing(self) -> float:
        """For how long nothing can happen, so that nobody need look; never above half a second.

        While anything is under way at this very moment that is a hundredth of a second.
        """
        if self.outside or self._ready or not self._scheduled:  # type: ignore[attr-defined]
            return 0.01
        due: float = self._scheduled[0].when()  # type: ignore[attr-defined]
        return min(max(due - self.elapsed, 0.01), 0.5)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:
        future = super().run_in_executor(executor, func, *args)
        self.outside += 1
        future.add_done_callback(self._back)
        return future

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """Addresses of this machine without a thread; the rest as usual."""
        if host == "127.0.0.1":
            return [(2, 1, 6, "", (host, port))]
        return await super().getaddrinfo(host, port, **options)

    def _back(self, _: asyncio.Future[Any]) -> None:
        self.outside -= 1


class _Selector(selectors.DefaultSelector):  # type: ignore[valid-type,misc]
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self._loop.outside:
            ready = super().select(STUCK)
            if not ready:
                raise Stuck("a thread does not come back")
            return ready
        if timeout is None:
            raise Stuck("everybody waits for something that never comes")
        self._loop.elapsed += timeout
        return []


@contextmanager
def virtual_loop() -> Iterator[VirtualLoop]:
    """A loop of its own, with ``poorwill.clock`` reading its time."""
    with pytest.MonkeyPatch.context() as patch:
        loop = VirtualLoop()
        patch.setattr(clock, "now", loop.now)
        asyncio.set_event_loop(loop)
        try:
            yield loop
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
            asyncio.set_event_loop(None)


def in_virtual_time(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test in virtual time. Its parameters are fixtures as usual (synchronous ones)."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with virtual_loop() as loop:
            loop.run_until_complete(test(*args, **kwargs))

    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    return run


def running() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


async def until(condition: Callable[[], object], within: float, what: str = "") -> float:
    """Wait in virtual time until the condition holds; returns the seconds that took."""
    loop = running()
    begun = loop.time()
    while not condition():
        if loop.time() - begun > within:
            raise AssertionError(f"not within {within:g} s: {what or inspect.getsource(condition).strip()}")
        await asyncio.sleep(loop.until_next_thing())
    return loop.time() - begun
