"""The provider of Compose projects: all their containers sleep and wake together, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import ClassVar

from pydantic import BaseModel

from poorwill.errors import Permanent
from poorwill.providers import instances
from poorwill.providers.base import Surroundings
from poorwill.providers.docker import replicas
from poorwill.providers.docker.command import Command
from poorwill.providers.docker.group import Group
from poorwill.providers.docker.naming import PROJECT, Naming, is_one_off
from poorwill.providers.docker.options import ComposeOptions
from poorwill.providers.docker.order import LABEL, Need, from_label
from poorwill.providers.docker.project import Project
from poorwill.providers.docker.provider import ContainersProvider
from poorwill.providers.docker.state import Seen


class ComposeProvider(ContainersProvider):
    """The Compose file is needed to create containers only; then labels tell all.

    Each instance is one project, when the project's name tells them apart. Else several instances are
    containers of one project, and share what is not visited.
    """

    Options: ClassVar[type[BaseModel]] = ComposeOptions

    def __init__(self, options: ComposeOptions, around: Surroundings) -> None:
        super().__init__(options, around)
        self._options = options
        self._command = Command(around, self._endpoint)
        self._project = Project(options, self._command)
        self._naming: Naming | None = None
        self._from_file: Mapping[str, tuple[Need, ...]] = {}
        self._creating: dict[str, asyncio.Task[None]] = {}
        self._sharing = asyncio.Lock()

    async def _groups(self) -> dict[str, Group]:
        naming = await self._named()
        found = {} if naming.is_for_many else {naming.only: Group(self._options.service)}
        found |= await self._search(naming.filters(), naming)
        if not self._alike:
            return found
        split = replicas.last_of(replicas.split(found[naming.only], *self._split_by))
        return split or {naming.only: Group(self._options.service)}

    async def _group(self, instance: str) -> Group:
        naming = await self._named()
        if self._alike:
            found = replicas.split(await self._project_group(), *self._split_by)
            return found.get(instance, Group(self._options.service))
        filters = {"label": [f"{PROJECT}={naming.value(instance)}"]}
        found = await self._search(filters, naming)
        return found.get(instance, Group(self._options.service))

    async def _complete(self, instance: str) -> Group:
        naming = await self._named()
        if not naming.is_for_many and not self._alike and instance != naming.only:
            raise Permanent(
                f"the project {naming.pattern} cannot be {instance} and {naming.only} at once",
                hint=f"write project: {naming.pattern}-{{instance}}",
            )
        name = naming.value(instance)
        while not _is_whole(group := await self._group(instance)):
            ours = name not in self._creating
            if ours:
                self._begin_to_create(instance, name)
            try:
                await asyncio.shield(self._creating[name])
            except asyncio.CancelledError:
                said = self._command.progress()
                self._around.note(
                    "docker compose is still creating the containers, and goes on; "
                    "the next start waits for it" + (f" ({said})" if said else "")
                )
                raise
            if ours:
                return await self._group(instance)
        return group

    def _begin_to_create(self, instance: str, name: str) -> None:
        task = asyncio.get_running_loop().create_task(self._create(instance, name))
        self._creating[name] = task
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._creating.pop(name, None))
        task.add_done_callback(self._tasks.discard)

    async def _create(self, instance: str, name: str) -> None:
        self._from_file = await self._project.needs(name)
        self._project.check_service(dict(self._from_file))
        how = await self._how_many(instance)
        said = " ".join(["docker compose up --no-start", *how])
        self._around.note(f"creates the containers of the project {name}: {said}")
        await self._project.create(name, how)

    def _missing(self, instance: str) -> str:
        if self._naming is not None and self._naming.value(instance) in self._creating:
            return f"docker compose creates its containers: {self._command.progress()}".rstrip(": ")
        return f"the project has no container of the service {self._options.service} yet"

    def _is_ours(self, name: str, labels: Mapping[str, str]) -> bool:
        return self._naming is not None and (
            self._naming.of_container(name, labels) is not None and not is_one_off(labels)
        )

    # --- several instances in one project ---------------------------------------------------------

    @property
    def _alike(self) -> bool:
        """Whether instances are containers of one project, which share the rest of it."""
        return self._most > 1 and self._naming is not None and not self._naming.is_for_many

    @property
    def _split_by(self) -> tuple[str, int, Collection[str]]:
        return self._around.service, self._most, tuple(self._starting)

    async def _project_group(self) -> Group:
        """All containers of the one project."""
        naming = await self._named()
        return (await self._search(naming.filters(), naming)).get(naming.only, Group(self._options.service))

    async def _how_many(self, instance: str) -> list[str]:
        """Never fewer than there are: Compose would remove the rest. What runs is left as it is."""
        number = instances.number_of(instance)
        if not self._alike or number is None:
            return []
        project = await self._project_group()
        count = replicas.wanted(project, number, self._most)
        return ["--no-recreate", "--scale", f"{self._options.service}={count}"]

    @asynccontextmanager
    async def _turn(self, instance: str) -> AsyncIterator[None]:
        """One at a time, where they share something: it must not be stopped under one that is starting."""
        await self._named()
        async with AsyncExitStack() as held:
            await held.enter_async_context(self._lock(instance))
            if self._alike:
                await held.enter_async_context(self._sharing)
            yield

    async def _put_down(self, instance: str) -> None:
        """Its own container first; then what all share, if no other needs it."""
        group = await self._group(instance)
        if not self._alike:
            await self._moves.down(group)
            return
        await self._moves.down(replicas.alone(group))
        if (await self._group(instance)).holds:
            async with self._sharing:
                await self._moves.down(await self._group(instance))

    # --- finding containers -----------------------------------------------------------------------

    async def _named(self) -> Naming:
        if self._naming is None:
            pattern = await self._project.pattern()
            self._naming = Naming(pattern, f"{self._around.service}-1", label=PROJECT)
        return self._naming

    async def _search(self, filters: dict[str, list[str]], naming: Naming) -> dict[str, Group]:
        found = [one for one in await self._engine.search(filters) if not is_one_off(one["Labels"])]
        looks = await asyncio.gather(*(self._engine.look(one["Id"]) for one in found))
        by_instance: dict[str, list[Seen]] = {}
        for seen in looks:
            instance = naming.of_container(seen.name, seen.labels) if seen else None
            if seen is not None and instance is not None:
                by_instance.setdefault(instance, []).append(seen)
        return {instance: self._grouped(each) for instance, each in by_instance.items()}

    def _grouped(self, containers: list[Seen]) -> Group:
        services: dict[str, tuple[Seen, ...]] = {}
        for seen in sorted(containers, key=lambda seen: (seen.service, replicas.number_of(seen))):
            services[seen.service] = (*services.get(seen.service, ()), seen)
        needs = {name: self._needs(name, each[0]) for name, each in services.items()}
        return Group(self._options.service, services, needs, frozenset(self._options.keep))

    def _needs(self, service: str, seen: Seen) -> tuple[Need, ...]:
        """From the label; docker-compose 1 writes none."""
        if LABEL in seen.labels:
            return from_label(seen.labels[LABEL])
        return self._from_file.get(service, ())


def _is_whole(group: Group) -> bool:
    """Whether no container is missing, as far as the others tell."""
    wanted = {need.service for needs in group.needs.values() for need in needs}
    return group.main is not None and wanted <= group.services.keys()
