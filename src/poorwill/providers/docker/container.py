"""The provider of single containers that somebody made: ``docker run``, a Portainer stack, anything.

With several instances the others are containers that somebody made as well, or copies of the one.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel

from poorwill.errors import Permanent
from poorwill.providers.base import Surroundings
from poorwill.providers.docker import copies, ports
from poorwill.providers.docker.group import Group
from poorwill.providers.docker.naming import Naming
from poorwill.providers.docker.options import ContainerOptions
from poorwill.providers.docker.provider import ContainersProvider
from poorwill.providers.docker.state import Seen, read


class DockerProvider(ContainersProvider):
    """Each instance is one container, found by its name or a label at every look.

    When the name is that of one container only, the others are copies of it.
    """

    Options: ClassVar[type[BaseModel]] = ContainerOptions

    def __init__(self, options: ContainerOptions, around: Surroundings) -> None:
        super().__init__(options, around)
        key, _, value = (options.label or "").partition("=")
        self._naming = Naming(options.container or value, f"{around.service}-1", label=key)

    @property
    def _alike(self) -> bool:
        naming = self._naming
        return self._most > 1 and not naming.is_for_many and not naming.label

    def _instance(self, name: str, labels: Mapping[str, str]) -> str | None:
        if self._alike:
            return copies.instance_of(self._naming, name, labels)
        return self._naming.of_container(name, labels)

    async def _groups(self) -> dict[str, Group]:
        naming = self._naming
        if not naming.is_for_many and not naming.label and not self._alike:
            return {naming.only: await self._group(naming.only)}
        ids: dict[str, list[str]] = {} if naming.is_for_many else {naming.only: []}
        for one in await self._engine.search({} if self._alike else naming.filters()):
            instance = self._instance(one["Name"], one["Labels"])
            if instance is not None:
                ids.setdefault(instance, []).append(one["Id"])
        seen = await asyncio.gather(*(self._only(instance, each) for instance, each in ids.items()))
        return dict(zip(ids, map(_group, seen), strict=True))

    async def _group(self, instance: str) -> Group:
        naming = self._naming
        if self._alike:
            seen = await self._named(copies.name_of(naming, instance))
            ours = seen is not None and self._instance(seen.name, seen.labels) == instance
            return _group(seen if ours else None)
        if not naming.is_for_many and instance != naming.only:
            return Group("")
        if not naming.label:
            return _group(await self._named(naming.value(instance)))
        found = await self._engine.search({"label": [f"{naming.label}={naming.value(instance)}"]})
        return _group(await self._only(instance, [one["Id"] for one in found]))

    async def _complete(self, instance: str) -> Group:
        naming = self._naming
        if not naming.is_for_many and instance != naming.only:
            if self._alike:
                return await self._copy(instance)
            raise Permanent(
                f"{naming.words(instance)} cannot be {instance} and {naming.only} at once",
                hint='write a value for each: label: "com.example.role=chat-{number}"',
            )
        group = await self._group(instance)
        if group.main is None:
            raise Permanent(self._missing(instance), hint=await self._advice(instance))
        return group

    async def _copy(self, instance: str) -> Group:
        """A further instance, made like the first. One that was made like an earlier first is made anew."""
        naming = self._naming
        told = await self._engine.tell(naming.pattern)
        if told is None:
            raise Permanent(self._missing(naming.only), hint=await self._advice(naming.only))
        ports.check(read(told))
        name = copies.name_of(naming, instance)
        there = await self._named(name)
        if there is not None and copies.ORIGINAL not in there.labels:
            raise Permanent(
                f"there is a container {name} that is not a copy of {naming.pattern}",
                hint=f'rename it; or, when it is meant, write container: "{naming.pattern}-{{number}}"',
            )
        if there is not None and there.labels[copies.ORIGINAL] != told["Id"] and not there.holds:
            self._deeds.ask_down(there.id)
            await self._engine.remove(there.id)
            there = None
        if there is None:
            self._around.note(f"makes {name}, a copy of the container {naming.pattern}")
            await self._make(name, told)
        return await self._group(instance)

    async def _make(self, name: str, told: Mapping[str, Any]) -> None:
        recipe = copies.recipe(told)
        made = await self._engine.create(name, recipe)
        try:
            for network, how in copies.networks(told).items():
                if network not in recipe["NetworkingConfig"]["EndpointsConfig"]:
                    await self._engine.join(network, made, how)
        except BaseException:  # CancelledError is one: half a copy would be taken for a whole one
            self._deeds.ask_down(made)
            self._keep(self._engine.remove(made))
            raise

    def _missing(self, instance: str) -> str:
        if self._alike and instance != self._naming.only:
            return f"there is no copy of the container {self._naming.pattern} yet"
        return f"there is no {self._naming.words(instance).removeprefix('a ')}"

    def _is_ours(self, name: str, labels: Mapping[str, str]) -> bool:
        return self._instance(name, labels) is not None

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
