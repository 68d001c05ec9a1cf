"""Real containers on a real engine for the tests of the docker and compose providers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.docker_engine import IMAGE, DockerEngine

from poorwill.providers.base import Sighting, Surroundings
from poorwill.providers.docker import ComposeProvider, DockerProvider
from poorwill.providers.docker.provider import ContainersProvider

HELLO = "echo hello; exec sleep 1000"
QUICK = "trap 'exit 0' TERM; echo hello; sleep 1000 & wait"
"""Ends at once when it is asked to, as PID 1 does only with a handler."""


class Place:
    """A service ``s`` on one engine; ``name`` is in the name of everything it makes there."""

    def __init__(self, engine: DockerEngine, folder: Path, **options: object) -> None:
        self.engine = engine
        self.folder = folder
        self.name = f"t{uuid4().hex[:10]}"
        self.options: Mapping[str, object] = {"engine": engine.url, "port": 8000, **options}
        self.changes = 0
        self.notes: list[str] = []
        self.providers: list[ContainersProvider] = []

    def around(self, **settings: Any) -> Surroundings:
        return Surroundings(
            "gateway",
            "s",
            self.folder / "state",
            self.folder,
            self._changed,
            note=self.notes.append,
            **settings,
        )

    def _changed(self) -> None:
        self.changes += 1

    def heard(self, *words: str) -> bool:
        """Whether one note has all of these words."""
        return any(all(word in note for word in words) for note in self.notes)

    async def crash(self, sighting: Sighting) -> None:
        assert sighting.handle is not None
        self.engine.run("kill", sighting.handle.data["container"])

    async def close(self) -> None:
        for provider in self.providers:
            await provider.close()
        self.engine.remove(self.containers())

    def containers(self) -> list[str]:
        return self.engine.run("ps", "-aq", "--filter", f"name={self.name}").split()


class DockerPlace(Place):
    """Containers NAME-a and NAME-b exist from the start."""

    def create(self, instance: str, *options: str, command: str = QUICK) -> str:
        """A container of an instance; its name."""
        name = f"{self.name}-{instance}"
        self.engine.run("create", "--name", name, *options, IMAGE, "sh", "-c", command)
        return name

    def provider(self, **options: object) -> DockerProvider:
        settings = {"container": f"{self.name}-{{instance}}", **self.options, **options}
        if "label" in options:
            del settings["container"]
        return self.keep(DockerProvider(DockerProvider.Options.model_validate(settings), self.around()))

    def keep(self, provider: DockerProvider) -> DockerProvider:
        self.providers.append(provider)
        return provider


class ComposePlace(Place):
    """A Compose file of two services: ``web``, which needs ``db`` to be healthy."""

    FILE = f"""
services:
  web:
    image: {IMAGE}
    command: ["sh", "-c", "{QUICK}"]
    depends_on: {{db: {{condition: service_healthy}}}}
    expose: [8000]
  db:
    image: {IMAGE}
    command: ["sh", "-c", "touch /tmp/ok; {QUICK}"]
    healthcheck: {{test: [CMD, test, -e, /tmp/ok], interval: 100ms}}
"""

    def write(self, text: str = FILE) -> Path:
        file = self.folder / "docker-compose.yml"
        file.write_text(text)
        return file

    def provider(self, **options: object) -> ComposeProvider:
        settings = {"project": f"{self.name}-{{instance}}", "service": "web", **self.options, **options}
        provider = ComposeProvider(ComposeProvider.Options.model_validate(settings), self.around())
        self.providers.append(provider)
        return provider

    async def close(self) -> None:
        await super().close()
        networks = self.engine.run("network", "ls", "-q", "--filter", f"name={self.name}").split()
        if networks:
            self.engine.run("network", "rm", *networks)
