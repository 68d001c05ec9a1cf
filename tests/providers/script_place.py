"""A service as people run them by hand: start.sh, stop.sh and status.sh around a pid file."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from tests.providers.conformance import ABILITIES, NAMES, until

from poorwill.clock import boot_id
from poorwill.host.table import LinuxTable
from poorwill.providers.base import Sighting, Surroundings
from poorwill.providers.command import CommandProvider, Options
from poorwill.providers.shell import asking
from poorwill.providers.shell.lives import Life, Lives, Phase
from poorwill.providers.shell.service import ScriptProvider

START = """\
#!/bin/sh
if [ -e slow ]; then sleep "$(cat slow)"; fi
if [ -e refuse_start ]; then echo "no more memory"; exit 5; fi
echo "$POORWILL_INSTANCE_ID" >> starts
echo hello
sleep 1000 &
echo $! > "$POORWILL_INSTANCE_ID.pid"
"""
STOP = """\
#!/bin/sh
if [ -e hang_stop ]; then sleep 600; fi
if [ -e refuse_stop ]; then echo "it does not want to"; exit 6; fi
pid=$(cat "$POORWILL_INSTANCE_ID.pid") || exit 1
kill "$pid"
rm "$POORWILL_INSTANCE_ID.pid"
"""
STATUS = """\
#!/bin/sh
if [ -e dark ]; then echo "cannot say"; exit 4; fi
kill -0 "$(cat "$POORWILL_INSTANCE_ID.pid" 2>/dev/null || echo x)" 2>/dev/null || exit 3
"""


CANNOT = {"exit_code": "scripts leave the service in the background: nobody learns how it ended"}


class ScriptPlace:
    """A service ``s``; its scripts and what they write are in ``folder``."""

    instances = NAMES
    abilities = frozenset(ABILITIES) - CANNOT.keys()

    def __init__(self, folder: Path, **options: object) -> None:
        self.folder = folder / "my scripts"
        self.folder.mkdir()
        self.state = folder / "state"
        self.gateway = f"test-{uuid4().hex}"
        self.options: Mapping[str, object] = {
            "start": "./start.sh",
            "stop": "./stop.sh",
            "status": "./status.sh",
            **options,
        }
        self.changes = 0
        self.notes: list[str] = []
        self.providers: list[ScriptProvider] = []
        for name, text in (("start", START), ("stop", STOP), ("status", STATUS)):
            self.script(name, text)

    def script(self, name: str, text: str) -> Path:
        file = self.folder / f"{name}.sh"
        file.write_bytes(text.encode())
        file.chmod(0o755)
        return file

    def provider(self, **options: object) -> ScriptProvider:
        provider = self.built({**self.options, **options})
        self.providers.append(provider)
        return provider

    def built(self, options: Mapping[str, object]) -> ScriptProvider:
        return CommandProvider(Options.model_validate(options), self.around())

    def around(self, address: tuple[str, int] | None = None) -> Surroundings:
        return Surroundings(
            self.gateway, "s", self.state, self.folder, self._changed, address=address, note=self.notes.append
        )

    def _changed(self) -> None:
        self.changes += 1

    def starts(self) -> list[str]:
        file = self.folder / "starts"
        return file.read_text().split() if file.exists() else []

    def pid(self, instance: str) -> int:
        return int((self.folder / f"{instance}.pid").read_text())

    async def crash(self, sighting: Sighting) -> None:
        pid = self.pid(sighting.instance)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: LinuxTable().look(pid) is None, "it is gone")

    async def slow_start(self, seconds: float) -> None:
        (self.folder / "slow").write_text(f"{seconds:g}")

    async def refuse_start(self) -> None:
        (self.folder / "refuse_start").touch()

    async def refuse_stop(self) -> None:
        (self.folder / "refuse_stop").touch()

    async def hang_stop(self) -> None:
        (self.folder / "hang_stop").touch()

    async def go_dark(self) -> None:
        (self.folder / "dark").touch()

    async def mend(self) -> None:
        for name in ("slow", "refuse_start", "refuse_stop", "hang_stop", "dark"):
            (self.folder / name).unlink(missing_ok=True)

    async def start_outside(self, instance: str) -> None:
        # Scripts are asked about what Poorwill has heard of: this one was started and stopped before.
        Lives(self.state).put(instance, Life("before", Phase.GONE, 0.0, boot_id()))
        await self.by_hand("start", instance)

    async def stop_outside(self, sighting: Sighting) -> None:
        await self.by_hand("stop", sighting.instance)

    async def by_hand(self, name: str, instance: str) -> None:
        env = {**os.environ, "POORWILL_INSTANCE_ID": instance}
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            f"./{name}.sh", cwd=self.folder, env=env, stdin=quiet, stdout=quiet, stderr=quiet
        )
        assert await process.wait() == 0

    async def close(self) -> None:
        for provider in self.providers:
            await provider.close()
        for file in self.folder.glob("*.pid"):
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(file.read_text()), signal.SIGKILL)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask each time: a test looks every few milliseconds and would wait for old answers to go stale."""
    monkeypatch.setattr(asking, "SHARE", 0.0)
