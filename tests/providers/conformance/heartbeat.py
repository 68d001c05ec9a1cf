"""Whether the event loop stood still, told from a machine that was merely busy with something else."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

BEAT = 0.01
LONGEST = 0.5
"""Seconds for which the loop may stand still. Generous: real blocking calls take longer, or for ever."""


class _Heart(threading.Thread):
    """Goes on beating while the loop is blocked, and hardly while the whole machine is."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.beats = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            time.sleep(BEAT)
            self.beats += 1


@asynccontextmanager
async def steady() -> AsyncIterator[None]:
    """The loop must turn all the time while the body awaits things."""
    heart = _Heart()
    longest = 0

    async def turn() -> None:
        nonlocal longest
        while True:
            before = heart.beats
            await asyncio.sleep(BEAT)
            longest = max(longest, heart.beats - before)

    heart.start()
    turning = asyncio.create_task(turn())
    try:
        await asyncio.sleep(0)
        yield
        await asyncio.sleep(2 * BEAT)  # the turn that is being waited for counts, too
    finally:
        turning.cancel()
        heart.over.set()
        heart.join()
    assert longest * BEAT <= LONGEST, f"the event loop stood still for {longest * BEAT:.2f} s"
