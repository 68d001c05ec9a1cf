"""A port of another machine under an address of this host: an ``ssh`` that outlives the control plane."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from poorwill.core.model import Condition
from poorwill.errors import Permanent, Temporary
from poorwill.providers.base import Sighting, Surroundings
from poorwill.providers.process import Options, ProcessProvider
from poorwill.providers.ssh.target import HostKey, Target

OPENS_WITHIN = 20.0
"""Seconds for the way from the start of ``ssh`` to its open port."""

_INSTANCE = "tunnel"
_FOLDER = "tunnel"
_MADE_FOR = "made-for"


class Tunnel:
    """To ``there`` as the machine sees it (``127.0.0.1``, port). ``around`` is the service's; ``changed`` is
    called when the tunnel ended, and ``lost`` says that it did and was not opened again. ``folder`` holds
    the host keys that ``SshShell`` remembered.
    """

    def __init__(
        self, around: Surroundings, target: Callable[[], Target], there: tuple[str, int], folder: Path
    ) -> None:
        self.lost = False
        self._changed = around.changed
        self._around = replace(
            around,
            service=f"{around.service}.tunnel",
            folder=around.folder / _FOLDER,
            address=None,
            changed=self._ended,
        )
        self._target = target
        self._there = there
        self._keys = folder / "known_hosts"
        self._lock = asyncio.Lock()
        self._process: ProcessProvider | None = None
        self._made_for = self._around.folder / _MADE_FOR

    @staticmethod
    def known(folder: Path) -> bool:
        """Whether the service with this folder has ever had a tunnel."""
        return (folder / _FOLDER / _MADE_FOR).exists()

    async def open(self) -> tuple[str, int]:
        """The address here. Finds the tunnel that is open already, or opens one.

        Raises ``Temporary`` when the machine cannot be reached, ``Permanent`` when it refuses us.
        """
        async with self._lock:
            command = self._command(self._target())
            process = await self._known(command)
            sighting = await self._seen(process)
            if sighting is None or sighting.condition is not Condition.RUNNING:
                if sighting is not None and sighting.condition is Condition.STOPPING:
                    await process.stop(_INSTANCE)
                self._remember(command)
                await process.start(_INSTANCE, await process.prepare(_INSTANCE))
            address = await self._until_open(process)
            self.lost = False
            return address

    async def close(self) -> None:
        """End it, an earlier life's as well."""
        async with self._lock:
            process = self._process or await self._adopted(["ssh"])
            await process.stop(_INSTANCE)
            await process.close()
            self._process = None

    async def leave(self) -> None:
        """Stop watching it; it stays open for the next life of the control plane."""
        async with self._lock:
            if self._process is not None:
                await self._process.close()
                self._process = None

    def _ended(self) -> None:
        self.lost = True
        self._changed()

    async def _known(self, command: list[str]) -> ProcessProvider:
        """The provider for this very command; a tunnel that leads elsewhere is closed first."""
        process = self._process or await self._adopted(command)
        if self._mark() != _digest(command):
            await process.stop(_INSTANCE)
            await process.close()
            process = await self._adopted(command)
        self._process = process
        return process

    async def _adopted(self, command: list[str]) -> ProcessProvider:
        agent = os.environ.get("SSH_AUTH_SOCK")
        options = Options(command=("ssh", *command), env={"SSH_AUTH_SOCK": agent} if agent else {}, cwd="/")
        process = ProcessProvider(options, self._around)
        await process.adopt({})
        return process

    async def _seen(self, process: ProcessProvider) -> Sighting | None:
        return next((seen for seen in await process.list() if seen.instance == _INSTANCE), None)

    async def _until_open(self, process: ProcessProvider) -> tuple[str, int]:
        try:
            async with asyncio.timeout(OPENS_WITHIN):
                while True:
                    seen = await self._seen(process)
                    if seen is None or seen.condition is not Condition.RUNNING or seen.address is None:
                        raise await self._failure(process, seen)
                    host, _, port = seen.address.rpartition(":")
                    if await _accepts(host, int(port)):
                        return host, int(port)
                    await asyncio.sleep(0.02)
        except TimeoutError:
            await process.stop(_INSTANCE)
            raise Temporary(
                f"the tunnel to {self._target().host} did not open within {OPENS_WITHIN:g} s",
                hint="see that the machine runs and that its sshd answers",
            ) from None

    async def _failure(self, process: ProcessProvider, seen: Sighting | None) -> Temporary | Permanent:
        said = [line for line in await process.log_tail(_INSTANCE, 30) if line.strip()]
        starts = [number for number, line in enumerate(said) if line.startswith("--- ")]
        said = said[starts[-1] + 1 :] if starts else said
        words = " | ".join(said[-2:]) or (seen.detail if seen else "it ended")
        text = f"the tunnel to {self._target().host} failed: {words}"
        refused = ("Permission denied", "Host key verification failed", "HOST IDENTIFICATION HAS CHANGED")
        if any(mark in line for mark in refused for line in said):
            return Permanent(
                text, hint="ssh to that machine must work without a question; see the ssh how-to"
            )
        return Temporary(text, hint="it is opened again")

    def _command(self, target: Target) -> list[str]:
        if target.password is not None:
            raise Permanent(
                f"a tunnel to {target.host} needs a key: ssh takes no password without a person",
                hint="put a key on the machine and name it with key",
            )
        host, port = self._there
        inner = f"[{host}]" if ":" in host else host
        checking = "yes" if target.host_key is HostKey.STRICT else "accept-new"
        settings = {
            "BatchMode": "yes",
            "ExitOnForwardFailure": "yes",
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": "3",
            "ConnectTimeout": "15",
            "StrictHostKeyChecking": checking,
            "UserKnownHostsFile": f'"{self._keys.absolute()}" "{target.users_known_hosts}"',
            "ControlPath": "none",
            "LogLevel": "ERROR",
        }
        words = ["-N", "-T", "-L", f"127.0.0.1:{{port}}:{inner}:{port}"]
        words += [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        words += ["-i", str(target.key), "-o", "IdentitiesOnly=yes"] if target.key else []
        words += ["-p", str(target.port)] if target.port else []
        words += ["-l", target.user] if target.user else []
        return [*words, "--", target.host]

    def _mark(self) -> str:
        return self._made_for.read_text() if self._made_for.exists() else ""

    def _remember(self, command: list[str]) -> None:
        for folder in (self._made_for.parent, self._keys.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._made_for.write_text(_digest(command))


def _digest(command: list[str]) -> str:
    return hashlib.sha256("\0".join(command).encode()).hexdigest()


async def _accepts(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True
