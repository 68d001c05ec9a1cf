"""Commands on this host."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from poorwill import clock
from poorwill.errors import Temporary
from poorwill.host.table import Identity, Table, this_host
from poorwill.host.watch import watch
from poorwill.providers.base import Ran
from poorwill.providers.process.launch import INHERITED
from poorwill.providers.shell import runner

SHELL = "/bin/sh"

PATIENCE = 20.0
"""Seconds past a command's own time after which the shell that should have ended it is given up."""


class LocalShell:
    """A ``Shell`` (see ``providers.base``) for this host."""

    def __init__(self) -> None:
        self._table: Table = this_host()

    async def run(
        self,
        command: str,
        *,
        timeout: float,
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        log: str = "",
    ) -> Ran:
        """Raises ``Temporary`` when no process can be started or no file be written."""
        program = runner.program(command, timeout=timeout, cwd=cwd, env=env or {}, log=log)
        with tempfile.TemporaryFile() as said:
            spawning = asyncio.get_running_loop().run_in_executor(None, self._spawn, program, said)
            try:
                child = await asyncio.shield(spawning)
            except asyncio.CancelledError:
                await self._end(await spawning, said)
                raise
            try:
                async with asyncio.timeout(timeout + PATIENCE):
                    await self._until_ended(child)
            except TimeoutError:
                await self._end(child, said)
                return Ran(None, "")
            except asyncio.CancelledError:
                await self._end(child, said)
                raise
            return runner.outcome(_read(said))

    async def socket(self, path: str) -> Path:
        return Path(path)

    async def close(self) -> None:
        """Nothing is held open."""

    def _spawn(self, program: bytes, said: IO[bytes]) -> subprocess.Popen[bytes]:
        env = {name: os.environ[name] for name in INHERITED if name in os.environ}
        env.setdefault("PATH", os.defpath)
        try:
            with tempfile.TemporaryFile() as script:
                script.write(program)
                script.seek(0)
                return subprocess.Popen(
                    [SHELL], stdin=script, stdout=said, stderr=said, env=env, start_new_session=True
                )
        except OSError as error:
            raise Temporary(
                f"the command cannot be started: {error}",
                hint="the host may be short of memory, processes, open files or disk space",
            ) from error

    async def _until_ended(self, child: subprocess.Popen[bytes]) -> None:
        over = asyncio.Event()
        identity = Identity(clock.boot_id(), child.pid, self._table.started(child.pid) or 0)
        watching = watch(self._table, identity, over.set)
        try:
            await over.wait()
        finally:
            watching.close()
        child.wait()

    async def _end(self, child: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        """End the command that is no longer wanted, with all of its process group, and the shell."""
        job = runner.group(_read(said))
        if job is not None:
            _signal(job, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(runner.GRACE):
                await self._until_ended(child)
        if job is not None:
            _signal(job, signal.SIGKILL)
        if child.poll() is None:
            child.kill()
            await self._until_ended(child)


def _signal(job: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(job, number)


def _read(said: IO[bytes]) -> bytes:
    return os.pread(said.fileno(), 2 * runner.KEPT, 0)
