"""Bringing the containers of an instance up and putting them down, each when its turn has come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from poorwill.errors import Permanent, ProviderError, Temporary
from poorwill.providers.docker.deeds import Deeds
from poorwill.providers.docker.engine import Engine
from poorwill.providers.docker.group import Group
from poorwill.providers.docker.order import COMPLETED, HEALTHY, Need, known, reversed_needs
from poorwill.providers.docker.state import Seen, ending

ASK_EVERY = 0.1
"""Seconds between two looks at a container that another one waits for."""

Mode = Literal["stop", "pause", "kill"]


async def in_turn(needs: Mapping[str, tuple[Need, ...]], move: Callable[[str], Awaitable[None]]) -> None:
    """Move each service once those it waits for were moved; all that need not wait go at once.

    Raises the first ``ProviderError``; what had not had its turn by then is left as it is.
    """
    done = {name: asyncio.Event() for name in needs}

    async def when_free(name: str) -> None:
        for need in needs[name]:
            await done[need.service].wait()
        await move(name)
        done[name].set()

    try:
        async with asyncio.TaskGroup() as tasks:
            for name in needs:
                tasks.create_task(when_free(name))
    except* ProviderError as failures:
        raise failures.exceptions[0] from None


class Moves:
    """The orders to one engine; each is noted with ``deeds`` before it is given."""

    def __init__(self, engine: Engine, deeds: Deeds, mode: Mode, stop_timeout: float | None) -> None:
        self._engine = engine
        self._deeds = deeds
        self._mode = mode
        self._stop_timeout = None if stop_timeout is None else round(stop_timeout)

    async def up(self, group: Group, started: list[Seen]) -> None:
        """Start what is not up, in order. ``started`` is told of each, also when this fails half-way."""
        needs = known(group.needs)

        async def move(name: str) -> None:
            for need in needs[name]:
                for seen in group.services[need.service]:
                    await self._far_enough(seen, need)
            for seen in group.services[name]:
                if not seen.is_up:
                    started.append(seen)
                    await self._start(seen)

        await in_turn(needs, move)

    async def down(self, group: Group) -> None:
        """Stop what is up and does not stay up, in reverse order."""
        needs = reversed_needs(known({name: group.needs[name] for name in group.sleeping}))

        async def move(name: str) -> None:
            for seen in group.services[name]:
                if seen.holds:
                    await self.put_down(seen)

        await in_turn(needs, move)

    async def put_down(self, seen: Seen) -> None:
        """As the options say. What is paused already is left so when pausing is the way."""
        self._deeds.ask_down(seen.id)
        if self._mode == "pause":
            if seen.status == "running":
                await self._engine.pause(seen.id)
                return
            if seen.status == "paused":
                return
        if self._mode == "kill" and seen.status != "restarting":
            await self._engine.kill(seen.id)
        else:
            await self._engine.stop(seen.id, self._stop_timeout)

    async def _start(self, seen: Seen) -> None:
        frozen = seen.status == "paused"
        self._deeds.ask_up(seen.id, frozen=frozen)
        if frozen:
            await self._engine.unpause(seen.id)
        else:
            await self._engine.start(seen.id)

    async def _far_enough(self, seen: Seen, need: Need) -> None:
        """Wait until a container is what another one needs it to be."""
        if need.condition not in (HEALTHY, COMPLETED):
            return
        while True:
            now = await self._engine.look(seen.id)
            if now is None:
                why = f"somebody removed the container {seen.name} while it was being started"
                raise Temporary(why, hint="it is looked for again")
            if need.condition == COMPLETED and now.exit_code == 0:
                return
            if now.exit_code is not None and now.status != "restarting":
                said = await self._said(seen)
                raise Temporary(
                    f"{need.service} ended: {ending(now.exit_code, now.oom)}{said}", hint=_SEE_LOG
                )
            if need.condition == HEALTHY and _is_healthy(now):
                return
            await asyncio.sleep(ASK_EVERY)

    async def _said(self, seen: Seen) -> str:
        lines = await self._engine.log(seen.id, 3)
        return f"; it printed: {' / '.join(lines)[-300:]}" if lines else ""


_SEE_LOG = "docker logs shows all it printed"


def _is_healthy(seen: Seen) -> bool:
    if not seen.health and seen.is_up:
        raise Permanent(
            f"{seen.name} is waited for until it is healthy, and it has no health check",
            hint="give it a healthcheck in the Compose file, or use condition: service_started",
        )
    if seen.health == "unhealthy":
        said = f": {seen.health_says[-300:]}" if seen.health_says else ""
        raise Temporary(f"{seen.name} is unhealthy{said}", hint="its health check in the Compose file failed")
    return seen.health == "healthy"
