"""Real processes for the tests of the process provider, and the certainty that none is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from tests.providers.conformance import until

from poorwill.host.table import LinuxTable, this_host
from poorwill.providers.base import Sighting, Surroundings
from poorwill.providers.process import Options, ProcessProvider
from poorwill.providers.process.sweep import marked

HELLO = ["sh", "-c", "echo hello; exec sleep 1000"]


class ProcessPlace:
    """A service ``s`` of a gateway of its own, in ``folder``."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.folder = folder
        self.gateway = f"test-{uuid4().hex}"
        self.options: Mapping[str, object] = {"command": HELLO, **options}
        self.changes = 0
        self.providers: list[ProcessProvider] = []

    def provider(self, **options: object) -> ProcessProvider:
        provider = ProcessProvider(Options.model_validate({**self.options, **options}), self.around())
        self.providers.append(provider)
        return provider

    def around(self) -> Surroundings:
        return Surroundings(self.gateway, "s", self.folder / "state", self.folder, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    async def crash(self, sighting: Sighting) -> None:
        os.kill(await self.command_pid(sighting), signal.SIGKILL)

    def pids(self) -> set[int]:
        """Every living process that carries the mark."""
        return {found.seen.pid for found in marked(this_host(), f"{self.gateway}/s/")}

    async def command_pid(self, sighting: Sighting) -> int:
        """The PID of what the wrapper runs, once it does."""
        assert sighting.handle is not None
        wrapper = sighting.handle.data["pid"]
        children = Path(f"/proc/{wrapper}/task/{wrapper}/children")
        await until(lambda: children.read_text() != "", "the command runs")
        return int(children.read_text().split()[0])

    async def printed(self, instance: str, text: str) -> None:
        file = self.folder / "state" / f"{instance}.log"
        await until(lambda: file.exists() and text in file.read_text(), f"{text} was printed")

    async def close(self) -> None:
        for provider in self.providers:
            await provider.close()
        calm = 0
        while calm < 3:  # a look misses what is just being forked
            pids = self.pids()
            calm = 0 if pids else calm + 1
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.005)


def lives(pid: int) -> bool:
    return LinuxTable().look(pid) is not None


def written(file: Path) -> bool:
    """Whether a whole line is there."""
    return file.exists() and file.read_text().endswith("\n")
