"""How long a test waits for something: long, since only a failure waits to the end of it.

The machines that run this are slow and shared; a deadline that is near fails when somebody else works.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 60.0
"""Seconds."""


async def until(true: Callable[[], Any], what: str, seconds: float = PATIENCE, every: float = 0.01) -> Any:
    """Wait for something to become true and return it; fails, saying what it waited for."""
    deadline = time.monotonic() + seconds
    while True:
        found = true()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(every)
