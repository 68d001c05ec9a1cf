"""What the providers of containers have in common: looking, starting, stopping, and hearing of the rest."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, ClassVar, TypeVar

import structlog
from pydantic import BaseModel

from poorwill import clock
from poorwill.core.model import Condition
from poorwill.errors import Permanent, ProviderError
from poorwill.providers import instances
from poorwill.providers.base import Handle, Json, Sighting, Surroundings
from poorwill.providers.docker import ports, restarts
from poorwill.providers.docker.deeds import Deeds
from poorwill.providers.docker.endpoint import Endpoint, endpoint
from poorwill.providers.docker.engine import Engine
from poorwill.providers.docker.events import Events
from poorwill.providers.docker.group import Group
from poorwill.providers.docker.moves import Moves
from poorwill.providers.docker.options import Common
from poorwill.providers.docker.sightings import Sightings
from poorwill.providers.docker.state import Seen

log = structlog.get_logger()

T = TypeVar("T")

EXPLAIN_WITHIN = 1.0
"""Seconds within which the engine tells whether an end was a ``docker stop`` or only a signal."""

LINGER = 15.0
"""Seconds for which the rest of a project is left up after the container that visitors reach has ended: it
may be about to be started again, by us or by somebody at work on it.
"""


class ContainersProvider(ABC):
    """One service's containers on one engine. See ``providers.base`` for the laws."""

    Options: ClassVar[type[BaseModel]]
    settle = 0.0
    stale_after = 30.0
    notices: ClassVar[bool] = True

    def __init__(self, options: Common, around: Surroundings) -> None:
        self._common = options
        self._around = around
        self._most = around.instances
        self._endpoint = _endpoint(options, around)
        self._engine = Engine(self._endpoint, around.shell)
        self._deeds = Deeds(around.note)
        self._events = Events(self._engine, self._heard, self._broke)
        self._sightings = Sightings(options, around, self._engine, self._deeds)
        self._moves = Moves(self._engine, self._deeds, options.stop, options.stop_timeout)
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._starting: dict[str, int] = {}
        self._stopping: dict[str, int] = {}
        self._policies: dict[str, str] = {}
        self._said: set[tuple[str, str]] = set()
        self._alone_since: dict[str, float] = {}

    # --- what the kinds of provider know themselves ----------------------------------------------

    @abstractmethod
    async def _groups(self) -> dict[str, Group]:
        """Every instance that has containers, and an empty group for one that should have."""

    @abstractmethod
    async def _group(self, instance: str) -> Group: ...

    @abstractmethod
    async def _complete(self, instance: str) -> Group:
        """The instance with all its containers, created if need be. Raises ``ProviderError``."""

    @abstractmethod
    def _missing(self, instance: str) -> str:
        """Why there is nothing to see, in one line."""

    @abstractmethod
    def _is_ours(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a container belongs to the service."""

    @property
    def _alike(self) -> bool:
        """Whether there may be several instances, each made like the first."""
        return False

    def _turn(self, instance: str) -> AbstractAsyncContextManager[object]:
        """Held while it is started."""
        return self._lock(instance)

    async def _put_down(self, instance: str) -> None:
        await self._moves.down(await self._group(instance))

    # --- the contract ----------------------------------------------------------------------------

    async def adopt(self, known: Mapping[str, Handle]) -> None:
        """Names and labels find the containers again; what happens to them is heard from now on."""
        for handle in known.values():
            self._expect(handle.instance)
            container, thawed = handle.data.get("container"), handle.data.get("thawed")
            if isinstance(container, str) and isinstance(thawed, str):
                self._deeds.remember(container, thawed)
        await self._events.follow()

    async def prepare(self, instance: str) -> Mapping[str, Json]:
        return {}

    async def start(self, instance: str, prepared: Mapping[str, Json]) -> Handle:
        """What was started of a project is put down again when the rest of it cannot be."""
        await self._events.follow(at_once=True)
        self._expect(instance)
        started: list[Seen] = []
        with _counted(self._starting, instance):
            async with self._turn(instance):
                group = await self._complete(instance)
                main = self._checked(group, instance)
                self._tell_policies(group)
                try:
                    await self._moves.up(group, started)
                except BaseException:  # CancelledError is one: who gave up does not wait for this
                    if len(group.services) > 1:
                        self._keep(self._undo(instance, started))
                    raise
        return self._sightings.handle(instance, main)

    async def stop(self, instance: str) -> None:
        self._expect(instance)
        await self._events.follow()
        with _counted(self._stopping, instance):
            async with self._lock(instance):
                await self._put_down(instance)

    async def log_tail(self, instance: str, lines: int) -> list[str]:
        main = (await self._group(instance)).main if lines > 0 else None
        return await self._engine.log(main.id, lines) if main else []

    async def cpu_seconds(self, instance: str) -> float:
        """Of all its containers that sleep when it does."""
        return sum([await self._engine.cpu_seconds(each) for each in await self._up(instance)])

    async def memory_bytes(self, instance: str) -> float:
        return sum([await self._engine.memory_bytes(each) for each in await self._up(instance)])

    async def close(self) -> None:
        """Stop listening; containers are left alone."""
        await self._events.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._engine.close()

    async def _up(self, instance: str) -> list[str]:
        group = await self._group(instance)
        return [seen.id for each in group.sleeping.values() for seen in each if seen.is_up]

    # --- looking ---------------------------------------------------------------------------------

    async def _sighting(self, instance: str, group: Group) -> Sighting:
        self._alone(instance, group)
        starting, stopping = instance in self._starting, instance in self._stopping
        if group.main is not None:
            return await self._sightings.of(instance, group, group.main, starting=starting, stopping=stopping)
        condition = Condition.STARTING if starting else Condition.ABSENT
        return Sighting(instance, condition, detail=self._missing(instance))

    def _checked(self, group: Group, instance: str) -> Seen:
        """The container that visitors reach. Raises Permanent when it is clear that they never could."""
        if group.main is None:
            raise Permanent(self._missing(instance), hint="docker ps -a shows all there are")
        self._sightings.check(group.main)
        if self._alike:
            self._check_ports(group.main, instance)
        return group.main

    def _check_ports(self, main: Seen, instance: str) -> None:
        """The first instance has what a second one could not have: it is told in time, and it runs."""
        try:
            ports.check(main)
        except Permanent as error:
            if instances.number_of(instance) != 1:
                raise
            self._say_once(f"there can be one instance only: {error} ({error.hint})")

    # --- hearing ---------------------------------------------------------------------------------

    def _heard(self, event: Mapping[str, Any]) -> None:
        told = event["Actor"].get("Attributes") or {}
        if not self._is_ours(told.get("name", ""), told):
            return
        policy = self._policies.get(event["Actor"]["ID"], "no")
        if self._deeds.happened(event, policy):
            asyncio.get_running_loop().call_later(EXPLAIN_WITHIN, self._deeds.settle)
        self._around.changed()

    def _broke(self) -> None:
        self._deeds.settle("the Docker Engine went away at that moment")
        self._around.changed()

    def _tell_policies(self, group: Group) -> None:
        """Once for each container whose restart policy fights with its sleep."""
        for each in group.sleeping.values():
            for seen in each:
                self._policies[seen.id] = seen.policy
                if words := restarts.conflict(seen, self._common.stop):
                    self._say_once(words, of=seen.id)

    def _say_once(self, words: str, of: str = "") -> None:
        if (of, words) not in self._said:
            self._said.add((of, words))
            self._around.note(words)

    # --- clearing up -----------------------------------------------------------------------------

    def _alone(self, instance: str, group: Group) -> None:
        """Put the rest of a project to sleep when the one that visitors reach has ended for good."""
        main = group.main
        over = main is not None and main.status == "exited" and group.holds
        if not over or instance in self._starting or instance in self._stopping:
            self._alone_since.pop(instance, None)
            return
        now = clock.now().mono
        if now - self._alone_since.setdefault(instance, now) >= LINGER:
            del self._alone_since[instance]
            self._around.note(f"{group.visited} has ended: the rest of its project is put to sleep, too")
            self._keep(self.stop(instance))

    async def _undo(self, instance: str, started: list[Seen]) -> None:
        async with self._turn(instance):
            sleeping = (await self._group(instance)).sleeping
            mine = {seen.id for each in sleeping.values() for seen in each}
            for seen in reversed(started):
                now = await self._engine.look(seen.id)
                if now is not None and now.holds and now.id in mine:
                    await self._moves.put_down(now)

    def _keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T | None]:
        """A task that outlives its caller's patience. What it cannot do is in the log."""

        async def done() -> T | None:
            try:
                return await work
            except ProviderError as error:
                log.warning("clearing up failed", service=self._around.service, error=str(error))
                return None

        # Not in the TaskGroup of app.py, which a failure would end: this concerns one instance only.
        task = asyncio.get_running_loop().create_task(done())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _expect(self, instance: str) -> None:
        """There may be more than was said at first: ``max_instances`` may be raised while one runs."""
        self._most = max(self._most, instances.number_of(instance) or 1)

    def _lock(self, instance: str) -> asyncio.Lock:
        return self._locks.setdefault(instance, asyncio.Lock())

    async def list(self) -> list[Sighting]:
        """What the engine shows now. Last, because it hides the built-in name."""
        await self._events.follow()
        found = await self._groups()
        for instance in self._starting.keys() - found.keys():  # its containers are only being created
            found[instance] = await self._group(instance)
        for group in found.values():
            self._tell_policies(group)
        looks = (self._sighting(instance, group) for instance, group in found.items())
        return instances.told_apart(list(found), await asyncio.gather(*looks, return_exceptions=True))


@contextmanager
def _counted(calls: dict[str, int], instance: str) -> Iterator[None]:
    """``instance`` is among ``calls`` for as long as one of them is under way."""
    calls[instance] = calls.get(instance, 0) + 1
    try:
        yield
    finally:
        calls[instance] -= 1
        if not calls[instance]:
            del calls[instance]


def _endpoint(options: Common, around: Surroundings) -> Endpoint:
    """What this host's environment says of an engine is not about the one of a machine."""
    if around.shell is not None:
        return Endpoint(options.engine)
    return endpoint(options.engine, options.tls, around.base)
