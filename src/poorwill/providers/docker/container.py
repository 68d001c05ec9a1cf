"""The provider of single containers that somebody made: ``docker run``, a Portainer stack, anything."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel

from poorwill.errors import Permanent
from poorwill.providers.base import Surroundings
from poorwill.providers.docker.group import Group
from poorwill.providers.docker.naming import Naming
from poorwill.providers.docker.options import ContainerOptions
from poorwill.providers.docker.provider import ContainersProvider
from poorwill.providers.docker.state import Seen


class DockerProvider(ContainersProvider):
    """Each instance is one container, found by its name or a label at every look."""

    Options: ClassVar[type[BaseModel]] = ContainerOptions

    def __init__(self, options: ContainerOptions, around: Surroundings) -> None:
        super().__init__(options, around)
        key, _, value = (options.label or "").partition("=")
        self._naming = Naming(options.container or value, f"{around.service}-1", label=key)

    async def _groups(self) -> dict[str, Group]:
        naming = self._naming
        if not naming.is_for_many and not naming.label:
            return {naming.only: await self._group(naming.only)}
        ids: dict[str, list[str]] = {} if naming.is_for_many else {naming.only: []}
        for one in await self._engine.search(naming.filters()):
            instance = naming.of_container(one["Name"], one["Labels"])
            if instance is not None:
                ids.setdefault(instance, []).append(one["Id"])
        seen = await asyncio.gather(*(self._only(instance, each) for instance, each in ids.items()))
        return dict(zip(ids, map(_group, seen), strict=True))

    async def _group(self, instance: str) -> Group:
        naming = self._naming
        if not naming.is_for_many and instance != naming.only:
            return Group("")
        if not naming.label:
            return _group(await self._named(naming.value(instance)))
        found = await self._engine.search({"label": [f"{naming.label}={naming.value(instance)}"]})
        return _group(await self._only(instance, [one["Id"] for one in found]))

    async def _complete(self, instance: str) -> Group:
        naming = self._naming
        if not naming.is_for_many and instance != naming.only:
            raise Permanent(
                f"{naming.words(instance)} cannot be {instance} and {naming.only} at once",
                hint="for several instances write {number} into the name: container: kb-{number}",
            )
        group = await self._group(instance)
        if group.main is None:
            raise Permanent(self._missing(instance), hint=await self._advice(instance))
        return group

    def _missing(self, instance: str) -> str:
        return f"there is no {self._naming.words(instance).removeprefix('a ')}"

    def _is_ours(self, name: str, labels: Mapping[str, str]) -> bool:
        return self._naming.of_container(name, labels) is not None

    async def _named(self, name: str) -> Seen | None:
        seen = await self._engine.look(name)
        # The engine takes the beginning of an id for a name, too.
        return seen if seen is not None and seen.name == name else None

    async def _only(self, instance: str, ids: list[str]) -> Seen | None:
        if len(ids) > 1:
            raise Permanent(
                f"{len(ids)} containers carry the label of {instance}",
                hint="give each a label of its own, or name one: container: NAME",
            )
        return await self._engine.look(ids[0]) if ids else None

    async def _advice(self, instance: str) -> str:
        if self._naming.label:
            return "docker ps -a shows all there are; docker inspect shows their labels"
        names = [one["Name"].removeprefix("/") for one in await self._engine.search({})]
        near = difflib.get_close_matches(self._naming.value(instance), names, n=1)
        if near:
            return f"did you mean {near[0]}?"
        return "create it (docker create, or docker compose up --no-start); docker ps -a shows all there are"


def _group(seen: Seen | None) -> Group:
    return Group("", {"": (seen,)}, {"": ()}) if seen is not None else Group("")
