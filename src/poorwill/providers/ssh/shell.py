"""Commands on another machine: one connection that is kept, and made again when it is lost."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import asyncssh

from poorwill.errors import Permanent, ProviderError, Temporary
from poorwill.providers.base import Ran
from poorwill.providers.shell import runner
from poorwill.providers.ssh.hostkeys import HostKeys
from poorwill.providers.ssh.target import Target
from poorwill.providers.ssh.trouble import trouble

CONNECT_TIMEOUT = 15.0
KEEP_ALIVE = 15.0
"""Seconds between two questions to a silent connection; three without an answer mean that it is lost."""

PATIENCE = 20.0
"""Seconds past a command's own time after which the other side is given up."""

_END_PATIENCE = 8.0
_LONGEST_SOCKET = 100


class SshShell:
    """A ``Shell`` (see ``providers.base``) on the machine that ``target`` names at the time of each call.

    ``target`` raises ``Temporary`` while there is no machine. ``folder`` is private; the host keys that
    were accepted are remembered there.
    """

    def __init__(self, target: Callable[[], Target], folder: Path) -> None:
        self._target = target
        self._folder = folder
        self._connection: asyncssh.SSHClientConnection | None = None
        self._connected_to: Target | None = None
        self._connecting = asyncio.Lock()
        self._sockets: dict[str, tuple[asyncssh.SSHClientConnection, Path]] = {}
        self._short: tempfile.TemporaryDirectory[str] | None = None

    async def run(
        self,
        command: str,
        *,
        timeout: float,
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        log: str = "",
    ) -> Ran:
        """Raises ``Temporary`` when the connection is lost: then the command may go on, within its time."""
        program = runner.program(command, timeout=timeout, cwd=cwd, env=env or {}, log=log)
        said = bytearray()
        try:
            async with asyncio.timeout(timeout + PATIENCE):
                await self._send(program, said)
        except TimeoutError:
            await self._drop()
            raise Temporary(
                f"{self._connected_to} has not answered for {timeout + PATIENCE:g} s",
                hint="it is asked again",
            ) from None
        except asyncio.CancelledError:
            if job := runner.group(bytes(said)):
                await self._end(job)
            raise
        return runner.outcome(bytes(said))

    async def socket(self, path: str) -> Path:
        """Forwarded as long as the connection lasts; asked for again, it is renewed under the same name."""
        connection = await self._connect()
        known = self._sockets.get(path)
        if known is not None and known[0] is connection:
            return known[1]
        here = known[1] if known else self._sockets_folder() / f"{len(self._sockets)}.sock"
        here.unlink(missing_ok=True)
        try:
            await connection.forward_local_path(str(here), path)
            here.chmod(0o600)
        except (OSError, asyncssh.Error) as error:
            raise Temporary(
                f"{path} of {self._connected_to} cannot be forwarded: {error}",
                hint="the machine's sshd must allow it: AllowStreamLocalForwarding yes",
            ) from error
        self._sockets[path] = (connection, here)
        return here

    async def close(self) -> None:
        await self._drop()
        for _, here in self._sockets.values():
            here.unlink(missing_ok=True)
        self._sockets.clear()
        if self._short is not None:
            self._short.cleanup()
            self._short = None

    async def _send(self, program: bytes, said: bytearray) -> None:
        """Have the machine's own shell read the program, whatever the user's login shell is."""
        connection = await self._connect()
        try:
            process = await connection.create_process("exec sh", encoding=None, stderr=asyncssh.STDOUT)
            process.stdin.write(program)
            process.stdin.write_eof()
            while part := await process.stdout.read(65536):
                said.extend(part)
            process.close()
        except (OSError, asyncssh.Error) as error:
            await self._drop()
            raise Temporary(
                f"the connection to {self._connected_to} was lost: {error}", hint="it is made again"
            ) from error

    async def _end(self, job: int) -> None:
        """End a command that is no longer wanted. If that fails its own time still ends it."""
        with suppress(ProviderError, TimeoutError):
            async with asyncio.timeout(_END_PATIENCE):
                await self._send(runner.ending(job), bytearray())

    async def _connect(self) -> asyncssh.SSHClientConnection:
        async with self._connecting:
            target = self._target()
            if self._connection is not None and not self._connection.is_closed():
                if target == self._connected_to:
                    return self._connection
                await self._drop()
            self._connection = await self._made(target)
            self._connected_to = target
            return self._connection

    async def _made(self, target: Target) -> asyncssh.SSHClientConnection:
        if target.key is not None and not target.key.exists():
            raise Permanent(f"there is no key {target.key}", hint="correct key, or make one: ssh-keygen")
        keys = HostKeys(target, self._folder / "known_hosts")

        class Client(asyncssh.SSHClient):
            def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                return keys.accept(key)

        given: dict[str, object] = {}
        if target.port is not None:
            given["port"] = target.port
        if target.user is not None:
            given["username"] = target.user
        if target.key is not None:
            given["client_keys"] = [str(target.key)]
        if target.password is not None:
            given["password"] = target.password
        try:
            return await asyncssh.connect(
                target.host,
                known_hosts=keys.match,
                client_factory=Client,
                connect_timeout=CONNECT_TIMEOUT,
                login_timeout=CONNECT_TIMEOUT,
                keepalive_interval=KEEP_ALIVE,
                keepalive_count_max=3,
                **given,
            )
        except (OSError, ValueError, asyncssh.Error, ProviderError) as error:
            raise trouble(error, target, keys) from error

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
            with suppress(OSError, asyncssh.Error):
                await connection.wait_closed()

    def _sockets_folder(self) -> Path:
        """In our own folder, or in a private one with a short name: a socket's path is of limited length."""
        inside = self._folder.absolute() / "sockets"
        if len(os.fsencode(inside / "100.sock")) <= _LONGEST_SOCKET:
            inside.mkdir(mode=0o700, parents=True, exist_ok=True)
            return inside
        if self._short is None:
            self._short = tempfile.TemporaryDirectory(prefix="poorwill-")
        return Path(self._short.name)
