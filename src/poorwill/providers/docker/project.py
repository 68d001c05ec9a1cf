"""A Compose project's file: what the project is called, whether it is sound, and creating its containers.

All of this is left to ``docker compose`` itself, so that it means what it means there.
"""

from __future__ import annotations

import difflib
import os
import posixpath
import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from poorwill.errors import Permanent, ProviderError, Temporary
from poorwill.providers.docker.command import Command, Said
from poorwill.providers.docker.options import ComposeOptions
from poorwill.providers.docker.order import Need, from_model

_NAME = re.compile(r"(?m)^name:[ \t]*[\"']?([^\"'#\n]*)")
_VARIABLE = re.compile(r"(?m)^(?:export )?COMPOSE_PROJECT_NAME=[\"']?([^\"'\n]*)")
_USUAL = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")

_FINAL = re.compile(
    r"access denied|not found|no such image|manifest unknown|no such file|unsupported|undefined|invalid|"
    r"failed to solve|dockerfile|must be|is missing",
    re.IGNORECASE,
)
"""Complaints of ``compose up`` that another try will not mend."""


class Project:
    """``command`` runs ``docker compose`` where the file is."""

    def __init__(self, options: ComposeOptions, command: Command) -> None:
        self._options = options
        self._command = command
        self._pattern = ""
        self.files = [command.path(file) for file in options.file]

    async def pattern(self) -> str:
        """The project's name; it may hold ``{instance}``. Raises Permanent when it cannot be told."""
        if not self._pattern:
            self._pattern = self._options.project or await self._default_name()
        return self._pattern

    async def needs(self, name: str) -> dict[str, tuple[Need, ...]]:
        """Each service of the file, and what it waits for. Raises Permanent with Compose's own complaint."""
        said = await self._compose(name, ["config"], apart=True)
        if said.code != 0:
            raise Permanent(
                f"docker compose cannot use {self._shown}: {said.complaint}",
                hint=f"see it by hand: docker compose {' '.join(self._file_words())} config",
            )
        try:
            model: Any = YAML(typ="safe", pure=True).load(said.output)
            services = model["services"]
            return {name: from_model((rule or {}).get("depends_on")) for name, rule in services.items()}
        except (YAMLError, KeyError, TypeError, AttributeError) as error:
            why = f"what docker compose says of {self._shown} cannot be read: {error}"
            raise Permanent(why, hint="update docker compose") from error

    def check_service(self, services: dict[str, tuple[Need, ...]]) -> None:
        """Raises Permanent when the file has no such service."""
        for wanted in (self._options.service, *self._options.keep):
            if wanted not in services:
                near = difflib.get_close_matches(wanted, services, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(services))}"
                raise Permanent(f"there is no service {wanted} in {self._shown}", hint=hint)

    async def create(self, name: str, how: Sequence[str] = ()) -> None:
        """Create the containers that are missing, with their networks, volumes and images; start nothing.

        ``how`` are further options of ``docker compose up``.
        """
        said = await self._compose(name, ["up", "--no-start", *how])
        if said.code == 0:
            return
        kind: type[ProviderError] = Permanent if _FINAL.search(said.complaint) else Temporary
        by_hand = " ".join(["docker compose", *self._file_words(), "up --no-start", *how])
        raise kind(
            f"docker compose cannot create {name}: {said.complaint}", hint=f"see all of it by hand: {by_hand}"
        )

    @property
    def _shown(self) -> str:
        return ", ".join(self._options.file)

    async def _compose(self, name: str, words: list[str], *, apart: bool = False) -> Said:
        options = ["--project-name", name, *self._file_words()]
        for file in self._options.env_file:
            options += ["--env-file", self._command.path(file)]
        for profile in self._options.profiles:
            options += ["--profile", profile]
        return await self._command.compose([*options, *words], apart=apart)

    def _file_words(self) -> list[str]:
        return [word for file in self.files for word in ("--file", file)]

    # --- the name --------------------------------------------------------------------------------

    async def _default_name(self) -> str:
        """As Compose finds it: the environment, ``.env``, ``name:`` in the file, the folder."""
        folder = posixpath.dirname(self.files[0])
        text = await self._command.read(self.files[0])
        if text is None:
            raise Permanent(f"there is no Compose file {self.files[0]}", hint=await self._other_file(folder))
        settings = await self._command.read(posixpath.join(folder, ".env")) or ""
        said = os.environ.get("COMPOSE_PROJECT_NAME", "") if self._command.is_here else ""
        for found in (said, _first(_VARIABLE, settings), _first(_NAME, text)):
            if "$" in found:
                raise Permanent(
                    f"the project's name in {self.files[0]} is made of variables: {found}",
                    hint="write project: NAME beside file:",
                )
            if found:
                return found
        name = re.sub(r"[^a-z0-9_-]", "", PurePosixPath(folder).name.lower()).lstrip("_-")
        if not name:
            raise Permanent(f"no project name can be made of the folder {folder}", hint="write project: NAME")
        return name

    async def _other_file(self, folder: str) -> str:
        for usual in _USUAL:
            file = posixpath.join(folder, usual)
            if await self._command.read(file) is not None:
                return f"did you mean {usual}?"
        return "file: is relative to the folder of poorwill.yaml"


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1].strip() if found else ""
