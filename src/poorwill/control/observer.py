"""Fresh facts: one task looks at each provider, one probes each instance that has to become ready."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from poorwill import clock
from poorwill.control.addresses import resolved, split
from poorwill.control.apply import Spawn
from poorwill.control.facts import Facts
from poorwill.control.front import Front
from poorwill.control.needs import Needs
from poorwill.control.place import Place
from poorwill.control.probe import Probe, until_ready
from poorwill.core.model import Condition
from poorwill.core.target import Target
from poorwill.errors import ProviderError, Temporary
from poorwill.providers.base import Sighting, broken

log = structlog.get_logger()

Result = TypeVar("Result")

LOOK_EVERY = 5.0
"""Seconds between two looks at a provider when nothing asks for one earlier."""

RESOLVE_EVERY = 5.0
"""Seconds between two questions where an instance answers that does not answer there yet."""


class Observers:
    """``nudge(service)`` is called whenever there is something new to know."""

    def __init__(self, spawn: Spawn, front: Front, needs: Needs, nudge: Callable[[str], None]) -> None:
        self._spawn = spawn
        self._front = front
        self._needs = needs
        self._nudge = nudge
        self._calls: dict[str, asyncio.Event] = {}
        self._probing: dict[str, str] = {}
        self._groundless: set[str] = set()

    def follow(self, facts: Facts) -> None:
        self._calls[facts.name] = asyncio.Event()
        self._spawn(self._keep_looking(facts))

    def unfollow(self, service: str) -> None:
        self._groundless.discard(service)
        call = self._calls.pop(service, None)
        if call is not None:
            call.set()

    def look(self, service: str) -> None:
        if service in self._calls:
            self._calls[service].set()

    def probe_if_needed(self, facts: Facts) -> None:
        """See to it that an instance which runs and is not known to be ready is being asked."""
        for place in facts.places.values():
            sighting = place.sighting
            if sighting is None or place.condition is not Condition.RUNNING or place.ready:
                continue
            if self._probing.get(place.id) != sighting.life:
                self._probing[place.id] = sighting.life
                self._spawn(self._probe(facts, place, sighting.life))

    async def _keep_looking(self, facts: Facts) -> None:
        call = self._calls[facts.name]
        while self._calls.get(facts.name) is call:
            call.clear()
            begun_at = clock.now().mono
            try:
                facts.saw(await self._look(facts), begun_at)
                if facts.tunnel is not None and facts.tunnel.lost:
                    await self._find_again(facts)
            except ProviderError as error:
                if facts.look_error != str(error):
                    log.warning("the provider does not answer", service=facts.name, error=str(error))
                facts.look_error = str(error)
            self._nudge(facts.name)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await call.wait()
            except TimeoutError:
                continue

    async def _find_again(self, facts: Facts) -> None:
        """The way to an instance that answers was lost: look for it, and tell the gateway."""

        def failed(why: str) -> None:
            log.warning("the service cannot be reached", service=facts.name, why=why)

        for place in facts.places.values():
            if place.ready and (targets := await self._resolved(facts, place, failed)):
                self._front.route(facts.name, place.id, targets[0])

    async def _look(self, facts: Facts) -> list[Sighting]:
        """What there is; on a machine that is off there is nothing, and nobody to ask."""
        while self._needs.pending(facts):
            await asyncio.sleep(0.02)
        match self._needs.ground(facts, clock.now().mono):
            case None:
                self._groundless.discard(facts.name)
                return await _called(facts, lambda: _look(facts))
            case Condition.ABSENT, _:
                await self._lose(facts)
                return []
            case _, why:
                raise Temporary(why)

    async def _lose(self, facts: Facts) -> None:
        """Tell the provider, once, that its machine went away with all that was on it."""
        lost = getattr(facts.provider, "lost", None)
        if facts.name in self._groundless or lost is None:
            return
        await _called(facts, lost)
        facts.handles = facts.handles and {}
        self._groundless.add(facts.name)

    async def _probe(self, facts: Facts, place: Place, life: str) -> None:
        """Ask until ready; give up when this life of the instance is over."""

        def failed(why: str) -> None:
            place.probe_error = why

        try:
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(self._ask(facts, place, failed))
                while not asking.done() and place.lives(life):
                    await asyncio.wait([asking], timeout=0.5)
                asking.cancel()
        finally:
            if self._probing.get(place.id) == life:
                del self._probing[place.id]
        if asking.done() and not asking.cancelled():
            place.ready_life, place.ready_since, place.probe_error = life, clock.now().mono, ""
            self._nudge(facts.name)

    async def _ask(self, facts: Facts, place: Place, failed: Callable[[str], None]) -> None:
        """Ask where it answers, and elsewhere as soon as it turns out to answer there."""
        probe = facts.probe
        if not isinstance(probe, Probe):
            if probe is not None:
                await probe(failed)
            return
        life = place.sighting.life if place.sighting else ""
        while True:
            targets = await self._resolved(facts, place, failed)
            if not targets:
                await asyncio.sleep(1.0)
                continue
            if place.lives(life):
                self._front.route(facts.name, place.id, targets[0])
                if len(facts.places) == 1:  # while still gated, so that the release needs no change
                    self._front.join(facts.name, place.id)
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(until_ready(probe, targets[0], failed))
                while not asking.done():
                    await asyncio.wait([asking], timeout=RESOLVE_EVERY)
                    fresh = (
                        ()
                        if asking.done()
                        else await resolved(facts, place, self._needs.values(facts), failed)
                    )
                    if fresh and targets[0] not in fresh:
                        asking.cancel()
            if not asking.cancelled():
                return

    async def _resolved(
        self, facts: Facts, place: Place, failed: Callable[[str], None]
    ) -> tuple[Target, ...]:
        return await resolved(facts, place, self._needs.values(facts), failed)


async def _look(facts: Facts) -> list[Sighting]:
    """What the provider sees."""
    if facts.handles is not None:
        await facts.provider.adopt(facts.handles)
        facts.handles = None
    sightings = await facts.provider.list()
    for sighting in sightings:
        if sighting.address is not None:
            split(sighting.address)
    return sightings


async def _called(facts: Facts, call: Callable[[], Awaitable[Result]]) -> Result:
    """Raises ``ProviderError`` whatever goes wrong; an answer that takes longer than a fact keeps is none."""
    stale_after = facts.provider.stale_after
    try:
        async with asyncio.timeout(stale_after):
            return await call()
    except ProviderError:
        raise
    except TimeoutError:
        raise Temporary(f"it has not answered for {stale_after:g} s") from None
    except Exception as error:  # a provider may be a third party's: its mistakes must not end the loop
        if not isinstance(error, OSError):
            log.exception("the provider broke", service=facts.name)
        raise broken(error) from error
