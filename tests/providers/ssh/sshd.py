"""A real OpenSSH server on a loopback port, with keys of its own, for the user who runs the tests."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.patience import PATIENCE
from tests.ports import free_port

from poorwill.providers.ssh import HostKey, Target

_CONFIG = """\
Port {port}
ListenAddress {address}
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
AllowStreamLocalForwarding yes
AllowTcpForwarding yes
MaxStartups 100
SetEnv HOME={folder}/home {env}
"""


class Sshd:
    """Its files are in ``folder``. ``known_hosts`` holds its host key; ``key`` is a key that it accepts."""

    def __init__(self, folder: Path, *, address: str = "127.0.0.1", env: str = "", netns: str = "") -> None:
        self.folder = folder
        self.address = address
        self._settings = {"env": env}
        self._inside = ["nsenter", f"--net=/run/netns/{netns}"] if netns else []
        self.folder.mkdir(parents=True)
        (self.folder / "home").mkdir()  # what a person's own login files do takes its time
        self.port = free_port()
        self.key = folder / "user_key"
        self.known_hosts = folder / "known_hosts"
        self._process: subprocess.Popen[bytes] | None = None
        _keygen(self.key)
        shutil.copy(self.key.with_suffix(".pub"), folder / "authorized_keys")
        _keygen(folder / "host_key")
        self.accept()
        self.at(address)

    def target(self, **changes: object) -> Target:
        given = {
            "host": self.address,
            "port": self.port,
            "user": getpass.getuser(),
            "key": self.key,
            "known_hosts": self.known_hosts,
            "host_key": HostKey.STRICT,
            **changes,
        }
        return Target(**given)  # type: ignore[arg-type]

    def new_host_key(self) -> None:
        """As if the machine was made anew; counts from the next ``start``."""
        (self.folder / "host_key").unlink()
        _keygen(self.folder / "host_key")

    def accept(self) -> None:
        """Write the present host key into ``known_hosts``, as a person does after comparing it."""
        public = (self.folder / "host_key.pub").read_text()
        self.known_hosts.write_text(f"[{self.address}]:{self.port} {public}")

    def at(self, address: str) -> None:
        """Where it listens from the next ``start`` on."""
        self.address = address
        known = {"port": self.port, "folder": self.folder, "address": address, **self._settings}
        (self.folder / "config").write_text(_CONFIG.format(**known))

    async def start(self) -> None:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # Debian's sshd wants it
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        self._process = subprocess.Popen(  # noqa: ASYNC220
            [*self._inside, program, "-D", "-f", self.folder / "config", "-E", self.folder / "sshd.log"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        async with asyncio.timeout(PATIENCE):
            while not self._answers():
                assert self._process.poll() is None, (self.folder / "sshd.log").read_text()
                await asyncio.sleep(0.02)

    def cut(self) -> None:
        """Every open connection is lost; new ones can be made."""
        for pid in self._connections():
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """The server and every connection end."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)  # else it may take one more connection in between
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            self.cut()
            self._process.kill()
            self._process.wait()
            self._process = None

    def _connections(self) -> list[int]:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.address, self.port), timeout=1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False


def _keygen(file: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
