"""Real processes for the tests of the process provider, and the certainty that none is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from tests.providers.conformance import NAMES, until

from poorwill.clock import boot_id
from poorwill.host.table import Identity, LinuxTable, this_host
from poorwill.providers.base import Sighting, Surroundings
from poorwill.providers.process import Options, ProcessProvider
from poorwill.providers.process.sweep import has_launched, marked

HELLO = "echo hello\nexec sleep 1000"

STUBBORN = """
trap 'test -e stubborn || exit 0' TERM
echo hello
while :; do sleep 1000; done
"""
"""Ignores SIGTERM as long as there is a file of this name in its folder."""

MISSING = {
    "slow": "a process runs as soon as it was started",
    "refuse_stop": "nothing of one's own refuses SIGKILL",
    "start_outside": "a process that somebody else started does not belong to the service",
    "dark": "a host always knows its own processes",
}


class ProcessPlace:
    """A service ``s`` of a gateway of its own, in ``folder``: a script that says hello and stays."""

    instances = NAMES
    abilities = frozenset({"several", "log", "exit_code", "refuse_start", "hang_stop", "stop_outside"})

    def __init__(self, folder: Path, **options: object) -> None:
        self.folder = folder
        self.gateway = f"test-{uuid4().hex}"
        self.script = folder / "service"
        self.options: Mapping[str, object] = {"command": [str(self.script)], **options}
        self.changes = 0
        self.notes: list[str] = []
        self.providers: list[ProcessProvider] = []
        self._write(HELLO)

    def provider(self, **options: object) -> ProcessProvider:
        provider = ProcessProvider(Options.model_validate({**self.options, **options}), self.around())
        self.providers.append(provider)
        return provider

    def around(self) -> Surroundings:
        return Surroundings(
            self.gateway, "s", self.folder / "state", self.folder, self._changed, note=self.notes.append
        )

    def _changed(self) -> None:
        self.changes += 1

    async def crash(self, sighting: Sighting) -> None:
        os.kill(await self.command_pid(sighting), signal.SIGKILL)

    async def stop_outside(self, sighting: Sighting) -> None:
        os.kill(await self.command_pid(sighting), signal.SIGTERM)

    async def ends_with(self, code: int) -> None:
        self._write(f"echo hello\nexit {code}")

    async def refuse_start(self) -> None:
        self.script.unlink()

    async def hang_stop(self) -> None:
        (self.folder / "stubborn").touch()
        self._write(STUBBORN)

    async def mend(self) -> None:
        (self.folder / "stubborn").unlink(missing_ok=True)
        self._write(HELLO)

    def _write(self, script: str) -> None:
        """Never in place: a shell reads its script as it goes."""
        fresh = self.script.with_suffix(".new")
        fresh.write_text(f"#!/bin/sh\n{script}\n")
        fresh.chmod(0o755)
        fresh.replace(self.script)

    def pids(self) -> set[int]:
        """Every living process that carries the mark."""
        return {found.seen.pid for found in marked(this_host(), f"{self.gateway}/s/")}

    async def command_pid(self, sighting: Sighting) -> int:
        """The PID of what the wrapper runs, once it does."""
        assert sighting.handle is not None
        wrapper = sighting.handle.data["pid"]
        children = Path(f"/proc/{wrapper}/task/{wrapper}/children")
        identity = Identity(boot_id(), wrapper, sighting.handle.data["start"])
        # A child that is still a copy of the wrapper would take a signal for itself.
        await until(lambda: has_launched(this_host(), identity), "the command runs")
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
