"""The engine's event stream, followed for as long as a provider lives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog

from poorwill.errors import ProviderError
from poorwill.providers.docker.deeds import KINDS
from poorwill.providers.docker.engine import Engine

log = structlog.get_logger()

FIRST_AGAIN, LAST_AGAIN = 0.2, 5.0
"""Seconds until the stream is opened again after it broke: at first, and at last."""


class Events:
    """``heard(event)`` takes each; ``broken()`` is told when the stream ends.

    After a break the stream goes on where it stopped, as far as the engine still remembers.
    """

    def __init__(
        self, engine: Engine, heard: Callable[[Mapping[str, Any]], None], broken: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._heard = heard
        self._broken = broken
        self._since = ""
        self._following: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()

    async def follow(self, *, at_once: bool = False) -> None:
        """From when this returns on, no event is missed. Raises ProviderError when nobody is there.

        ``at_once`` ends a pause after a break: what Poorwill does next must not be told late, or it would
        be taken for somebody else's doing.
        """
        if at_once:
            self._wanted.set()
        if not self._since:
            self._since = await self._engine.clock()
        if self._following is not None and self._following.done():
            self._following.result()  # a mistake of ours: it raises what ended it
        if self._following is None:
            # Not in the TaskGroup of app.py, which a failure would end: this concerns one service only.
            self._following = asyncio.get_running_loop().create_task(self._keep_following())

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
            self._following = None

    async def _keep_following(self) -> None:
        pause, last = FIRST_AGAIN, ""
        while True:
            self._wanted.clear()
            try:
                async for event in self._engine.events(self._since, KINDS):
                    pause, last = FIRST_AGAIN, ""
                    self._since = _just_after(event)
                    self._heard(event)
            except ProviderError as error:
                if str(error) != last:
                    log.warning(
                        "the engine's events broke off", engine=self._engine.endpoint.shown, error=str(error)
                    )
                last = str(error)
            self._broken()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()
            pause = min(LAST_AGAIN, pause * 2)


def _just_after(event: Mapping[str, Any]) -> str:
    """The moment after an event, as the engine wants to be asked: seconds.nanoseconds."""
    nanos = int(event["timeNano"]) + 1
    return f"{nanos // 10**9}.{nanos % 10**9:09d}"
