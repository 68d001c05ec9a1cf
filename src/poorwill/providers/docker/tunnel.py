"""The way to an engine behind SSH: a socket on this host that leads to the engine's socket there."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from poorwill.errors import Permanent, Temporary
from poorwill.providers.docker.endpoint import DEFAULT_SOCKET

if TYPE_CHECKING:
    import asyncssh


class Tunnel:
    """Users, keys and known hosts are those of the ``ssh`` command (``~/.ssh``)."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._folder = Path(tempfile.mkdtemp(prefix="poorwill-docker-"))
        self._connection: asyncssh.SSHClientConnection | None = None

    async def open(self) -> Path:
        """The socket on this host; connects anew when the connection is gone."""
        file = self._folder / "docker.sock"
        if self._connection is not None and not self._connection.is_closed():
            return file
        await self._hang_up()
        file.unlink(missing_ok=True)
        self._connection = await self._connect()
        try:
            await self._connection.forward_local_path(str(file), self._url.path or DEFAULT_SOCKET)
        except OSError as error:
            why = f"{self._url.hostname} makes no way to its Docker Engine: {error}"
            raise Temporary(why, hint="its sshd must allow forwarding: AllowStreamLocalForwarding") from error
        return file

    async def close(self) -> None:
        await self._hang_up()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            await self._connection.wait_closed()
            self._connection = None

    async def _connect(self) -> asyncssh.SSHClientConnection:
        import asyncssh

        host = self._url.hostname or ""
        # What is not said here is left to ~/.ssh/config.
        said = {"port": self._url.port, "username": self._url.username}
        try:
            return await asyncssh.connect(
                host, keepalive_interval=15, **{key: value for key, value in said.items() if value}
            )
        except asyncssh.HostKeyNotVerifiable as error:
            raise Permanent(
                f"the host key of {host} is not known, or it has changed: {error}",
                hint=f"log in once by hand and compare the key: ssh {host}",
            ) from error
        except asyncssh.PermissionDenied as error:
            raise Permanent(
                f"{host} refuses us: {error}", hint=f"this must work without a question: ssh {host} docker ps"
            ) from error
        except (OSError, asyncssh.Error) as error:
            why = f"{host} cannot be reached over SSH: {error}"
            raise Temporary(why, hint=f"is it running? Try: ssh {host}") from error
