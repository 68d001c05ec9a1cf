"""Real containers on a real engine for the tests of the docker and compose providers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from signal import SIGKILL
from typing import Any
from uuid import uuid4

from tests.docker_engine import IMAGE, DockerEngine
from tests.providers.conformance.place import ABILITIES, NAMES
from tests.providers.docker_proxy import EngineProxy

from poorwill.providers.base import Sighting, Surroundings
from poorwill.providers.docker import ComposeProvider, DockerProvider
from poorwill.providers.docker.options import ComposeOptions, ContainerOptions
from poorwill.providers.docker.provider import ContainersProvider

HELLO = "echo hello; trap 'exit 0' TERM; sleep 1000 & wait"
"""Ends at once when it is asked to, as PID 1 does only with a handler."""

ORDERS = frozenset({"stop", "kill", "pause"})


class Place:
    """A service ``s`` on one engine; ``name`` is in the name of everything it makes there.

    What the containers run is a script in a folder that is mounted at /srv.
    """

    instances = NAMES
    abilities = frozenset(ABILITIES)

    def __init__(self, engine: DockerEngine, folder: Path, **options: object) -> None:
        self.engine = engine
        self.folder = folder
        self.name = f"t{uuid4().hex[:10]}"
        # Short: a unix socket's path may have 107 characters.
        self.proxy = EngineProxy(engine.folder / f"{self.name}.sock", engine.socket)
        self.options: Mapping[str, object] = {"engine": self.proxy.url, "port": 8000, **options}
        self.changes = 0
        self.notes: list[str] = []
        self.providers: list[ContainersProvider] = []
        (folder / "srv").mkdir()
        self.write_script(HELLO)

    async def open(self) -> None:
        await self.proxy.open()

    def around(self, **settings: Any) -> Surroundings:
        state, noted = self.folder / "state", self.notes.append
        return Surroundings("gateway", "s", state, self.folder, self._changed, note=noted, **settings)

    def _changed(self) -> None:
        self.changes += 1

    def write_script(self, script: str, name: str = "run") -> None:
        """Never in place: a shell reads its script as it goes."""
        fresh = self.folder / "srv" / "new"
        fresh.write_text(f"{script}\n")
        fresh.replace(self.folder / "srv" / name)

    def heard(self, *words: str) -> bool:
        """Whether one note has all of these words."""
        return any(all(word in note for word in words) for note in self.notes)

    def container(self, sighting: Sighting) -> str:
        assert sighting.handle is not None
        return str(sighting.handle.data["container"])

    # --- what the conformance suite asks for ------------------------------------------------------

    async def crash(self, sighting: Sighting) -> None:
        os.kill(self.engine.inspect(self.container(sighting))["State"]["Pid"], SIGKILL)

    async def slow_start(self, seconds: float) -> None:
        self.proxy.start_takes = seconds

    async def ends_with(self, code: int) -> None:
        self.write_script(f"echo hello; exit {code}")

    async def refuse_start(self) -> None:
        (self.folder / "srv" / "run").unlink()

    async def refuse_stop(self) -> None:
        self.proxy.refused = ORDERS

    async def hang_stop(self) -> None:
        self.proxy.hanging = ORDERS

    async def stop_outside(self, sighting: Sighting) -> None:
        self.engine.run("stop", self.container(sighting))

    async def go_dark(self) -> None:
        await self.proxy.shut()

    async def mend(self) -> None:
        self.proxy.refused = self.proxy.hanging = frozenset()
        self.proxy.start_takes = 0.0
        self.write_script(HELLO)
        await self.proxy.open()

    # --- the end ----------------------------------------------------------------------------------

    async def close(self) -> None:
        for provider in self.providers:
            await provider.close()
        await self.proxy.shut()
        self.engine.remove(self.containers())

    def containers(self) -> list[str]:
        return self.engine.run("ps", "-aq", "--filter", f"name={self.name}").split()


class DockerPlace(Place):
    """Containers are made by the test; ``NAME-INSTANCE`` is what the provider looks for."""

    def create(self, instance: str, *options: str, command: str = ". /srv/run") -> str:
        """A container of an instance; its name."""
        name = f"{self.name}-{instance}"
        mount = f"{self.folder / 'srv'}:/srv"
        self.engine.run("create", "--name", name, "-v", mount, *options, IMAGE, "sh", "-c", command)
        return name

    def provider(self, **options: object) -> DockerProvider:
        settings = {"container": f"{self.name}-{{instance}}", **self.options, **options}
        if "label" in options:
            del settings["container"]
        provider = DockerProvider(ContainerOptions.model_validate(settings), self.around())
        self.providers.append(provider)
        return provider

    async def start_outside(self, instance: str) -> None:
        self.engine.run("start", f"{self.name}-{instance}")


class ComposePlace(Place):
    """A Compose file of two services: ``web``, which needs ``db`` to be healthy.

    They listen to nothing; on the host's network they are made and started in half the time.
    """

    abilities = frozenset(ABILITIES) - {"several"}

    FILE = """
services:
  web:
    image: IMAGE
    command: [sh, -c, . /srv/run]
    volumes: ["./srv:/srv"]
    depends_on: {db: {condition: service_healthy}}
    network_mode: host
  db:
    image: IMAGE
    network_mode: host
    command: [sh, -c, . /srv/db]
    volumes: ["./srv:/srv"]
    healthcheck: {test: [CMD, test, -e, /tmp/ok], interval: 100ms, retries: 100}
"""

    async def open(self) -> None:
        await super().open()
        await self.slow_start(0)
        self.write(self.FILE)

    def write(self, text: str, name: str = "docker-compose.yml") -> Path:
        file = self.folder / name
        file.write_text(text.replace("IMAGE", IMAGE))
        return file

    def provider(self, **options: object) -> ComposeProvider:
        settings = {"project": f"{self.name}-{{instance}}", "service": "web", **self.options, **options}
        provider = ComposeProvider(ComposeOptions.model_validate(settings), self.around())
        self.providers.append(provider)
        return provider

    async def slow_start(self, seconds: float) -> None:
        self.write_script(f"rm -f /tmp/ok; sleep {seconds}; touch /tmp/ok; {HELLO}", "db")

    async def mend(self) -> None:
        await super().mend()
        await self.slow_start(0)

    async def start_outside(self, instance: str) -> None:
        await asyncio.to_thread(self.compose, "up", "--detach", "--wait", instance=instance)

    async def stop_outside(self, sighting: Sighting) -> None:
        await asyncio.to_thread(self.compose, "stop", instance=sighting.instance)

    def compose(self, *words: str, instance: str = "a") -> str:
        """As the user does it by hand."""
        file = str(self.folder / "docker-compose.yml")
        return self.engine.run("compose", "-p", f"{self.name}-{instance}", "-f", file, *words)

    async def close(self) -> None:
        await super().close()
        networks = self.engine.run("network", "ls", "-q", "--filter", f"name={self.name}").split()
        if networks:
            self.engine.run("network", "rm", *networks)


class ScaledPlace(ComposePlace):
    """One project; each instance is a container of ``web``, and all need the one ``db``."""

    abilities = frozenset(ABILITIES)
    instances = ("s-1", "s-2", "s-3")
    FILE = ComposePlace.FILE.replace("    depends_on", "    DEPENDS").replace("    network_mode: host\n", "")
    FILE = FILE.replace("DEPENDS", "ports: ['127.0.0.1::8000']\n    depends_on")

    def around(self, **settings: Any) -> Surroundings:
        return super().around(**{"instances": 3, **settings})

    def provider(self, **options: object) -> ComposeProvider:
        return super().provider(**{"project": self.name, **options})

    def status(self, service: str = "db", number: int = 1) -> str:
        return self.engine.status(f"{self.name}-{service}-{number}")

    def compose(self, *words: str, instance: str = "") -> str:
        file = str(self.folder / "docker-compose.yml")
        return self.engine.run("compose", "-p", self.name, "-f", file, *words)


class CopiedPlace(DockerPlace):
    """One container that a person made; further instances are copies of it."""

    instances = ("s-1", "s-2", "s-3")

    def original(self, *options: str) -> str:
        mount = f"{self.folder / 'srv'}:/srv"
        words = ["create", "--name", self.name, "-v", mount, *options, IMAGE, "sh", "-c", ". /srv/run"]
        return self.engine.run(*words).strip()

    def around(self, **settings: Any) -> Surroundings:
        return super().around(**{"instances": 3, **settings})

    def provider(self, **options: object) -> DockerProvider:
        return super().provider(**{"container": self.name, **options})
