"""The provider of Compose projects: all their containers sleep and wake together, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel

from poorwill.errors import Permanent
from poorwill.providers.base import Surroundings
from poorwill.providers.docker.command import Command
from poorwill.providers.docker.group import Group
from poorwill.providers.docker.naming import PROJECT, Naming, is_one_off
from poorwill.providers.docker.options import ComposeOptions
from poorwill.providers.docker.order import LABEL, Need, from_label
from poorwill.providers.docker.project import Project
from poorwill.providers.docker.provider import ContainersProvider
from poorwill.providers.docker.state import Seen

_NUMBER = "com.docker.compose.container-number"


class ComposeProvider(ContainersProvider):
    """Each instance is one project. The Compose file is needed to create it only; then labels tell all."""

    Options: ClassVar[type[BaseModel]] = ComposeOptions

    def __init__(self, options: ComposeOptions, around: Surroundings) -> None:
        super().__init__(options, around)
        self._options = options
        self._command = Command(around, self._endpoint)
        self._project = Project(options, self._command)
        self._naming: Naming | None = None
        self._from_file: Mapping[str, tuple[Need, ...]] = {}
        self._creating: dict[str, asyncio.Task[None]] = {}

    async def _groups(self) -> dict[str, Group]:
        naming = await self._named()
        found = {} if naming.is_for_many else {naming.only: Group(self._options.service)}
        return {**found, **await self._search(naming.filters(), naming)}

    async def _group(self, instance: str) -> Group:
        naming = await self._named()
        filters = {"label": [f"{PROJECT}={naming.value(instance)}"]}
        found = await self._search(filters, naming)
        return found.get(instance, Group(self._options.service))

    async def _complete(self, instance: str) -> Group:
        naming = await self._named()
        if not naming.is_for_many and instance != naming.only:
            raise Permanent(
                f"the project {naming.pattern} cannot be {instance} and {naming.only} at once",
                hint=f"for several instances write project: {naming.pattern}-{{number}}",
            )
        group = await self._group(instance)
        if _is_whole(group):
            return group
        if instance not in self._creating:
            task = asyncio.get_running_loop().create_task(self._create(instance, naming.value(instance)))
            self._creating[instance] = task
            self._tasks.add(task)
            task.add_done_callback(lambda _: self._creating.pop(instance, None))
            task.add_done_callback(self._tasks.discard)
        try:
            await asyncio.shield(self._creating[instance])
        except asyncio.CancelledError:
            said = self._command.progress()
            self._around.note(
                "docker compose is still creating the containers, and goes on; the next start waits for it"
                + (f" ({said})" if said else "")
            )
            raise
        return await self._group(instance)

    async def _create(self, instance: str, name: str) -> None:
        self._from_file = await self._project.needs(name)
        self._project.check_service(dict(self._from_file))
        self._around.note(f"creates the containers of the project {name}: docker compose up --no-start")
        await self._project.create(name)

    def _missing(self, instance: str) -> str:
        if instance in self._creating:
            return f"docker compose creates its containers: {self._command.progress()}".rstrip(": ")
        return f"the project has no container of the service {self._options.service} yet"

    def _is_ours(self, name: str, labels: Mapping[str, str]) -> bool:
        return self._naming is not None and (
            self._naming.of_container(name, labels) is not None and not is_one_off(labels)
        )

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
        for seen in sorted(containers, key=lambda seen: (seen.service, int(seen.labels.get(_NUMBER) or 0))):
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
