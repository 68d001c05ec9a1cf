"""The state folder: everything that must outlive the control plane, and the lock that makes it one's own."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import stat
import tempfile
from pathlib import Path
from typing import IO, Any

from poorwill.errors import StateError
from poorwill.host import trouble

_LONGEST_SOCKET = 100
"""Bytes of a unix socket's path; the kernel takes 107 on Linux and 103 on macOS."""


class StateFolder:
    """Use ``open``. The lock is held as long as this object's file is open, and dies with the process."""

    def __init__(self, path: Path, lock: IO[str]) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def open(cls, path: Path) -> StateFolder:
        """Make the folder if needed and lock it.

        Raises StateError when it cannot be written or another ``poorwill up`` has it.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not any(path.iterdir()) or (path / "lock").exists():
                path.chmod(0o700)  # ours; a folder with other things in it keeps its mode
            lock = open(path / "lock", "a+", opener=_private)  # noqa: SIM115 held as long as the program runs
        except OSError as error:
            raise _unwritable(path, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            raise StateError(
                f"another `poorwill up` (process {holder or 'unknown'}) uses the state folder {path}",
                hint="`poorwill down` ends it; two gateways need two state folders",
            ) from error
        os.set_inheritable(lock.fileno(), False)
        folder = cls(path, lock)
        try:
            lock.seek(0)
            lock.truncate()
            os.write(lock.fileno(), f"{os.getpid()}\n".encode())  # unbuffered: nothing is left for close
            folder.sockets.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            folder.close()
            raise _unwritable(path, error) from error
        _must_be_own(folder.sockets)
        return folder

    def close(self) -> None:
        self._lock.close()

    @property
    def sockets(self) -> Path:
        return sockets_of(self.path)

    @property
    def envoy(self) -> Path:
        return self._made("envoy")

    def instances_of(self, service: str) -> Path:
        """The folder of a service's logs and exit codes."""
        return self._made("services") / service

    def remember_run(self, service: str, memory: dict[str, Any]) -> None:
        """Keep how a service runs, so that it can be stopped even after it left the configuration.

        Raises StateError when it cannot be written.
        """
        folder = self.instances_of(service)
        try:
            if self._remembers(folder, memory):
                return  # also where there is no room to write it again
            folder.mkdir(mode=0o700, exist_ok=True)
            draft = folder / "run.new"
            draft.touch(mode=0o600)  # its environment may hold secrets
            draft.write_text(json.dumps(memory), encoding="utf-8")
            draft.replace(folder / "run.json")
        except OSError as error:
            raise StateError(
                f"{folder}/run.json cannot be written: {error.strerror}",
                hint="make room, or give this user the right to write there",
            ) from error

    def _remembers(self, folder: Path, memory: dict[str, Any]) -> bool:
        try:
            return bool(json.loads((folder / "run.json").read_text(encoding="utf-8")) == memory)
        except (FileNotFoundError, ValueError):
            return False

    def remembered_run(self, service: str) -> dict[str, Any]:
        """What ``remember_run`` kept; StateError when it is missing or not to be read."""
        file = self.instances_of(service) / "run.json"
        try:
            memory: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StateError(
                f"{service} is no longer in the configuration, may run still, and {file} cannot be read",
                hint=f"put {service} back into the configuration and start again",
            ) from error
        return memory

    def gateway_id(self) -> str:
        """This gateway's own name, made on the first start and never changed."""
        return self._kept("gateway-id", secrets.token_hex(6))

    def admin_token(self) -> str:
        """The token of the admin API, made on the first start; delete the file for a new one."""
        return self._kept("admin-token", secrets.token_urlsafe(24))

    def client_key(self) -> str:
        """What clients' addresses are disguised with before anything about them is written down."""
        return self._kept("client-key", secrets.token_hex(16))

    def _kept(self, name: str, fresh: str) -> str:
        file = self.path / name
        if not file.exists():
            draft = file.with_suffix(".new")
            draft.touch(mode=0o600)
            draft.write_text(fresh + "\n")
            draft.replace(file)
        return file.read_text().strip()

    def _made(self, name: str) -> Path:
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder


def _unwritable(path: Path, error: OSError) -> StateError:
    return StateError(
        f"the state folder {path} cannot be written: {error.strerror}",
        hint=trouble.hint(error) or "choose another with `state:`",
    )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def sockets_of(state: Path) -> Path:
    """Where the unix sockets of this state folder are: in it, or in a short place when its path is long."""
    inside = state / "run"
    if len(os.fsencode(inside.absolute() / "visitors.sock")) <= _LONGEST_SOCKET:
        return inside
    digest = hashlib.sha256(os.fsencode(state.absolute())).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"poorwill-{os.getuid()}-{digest}"


def _must_be_own(folder: Path) -> None:
    """In a place where everybody may write, somebody else may have been there first."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StateError(
            f"{folder} is not a private folder of this user", hint="remove it, or choose a shorter `state:`"
        )


def control_socket(state: Path) -> Path:
    """Where a running ``poorwill up`` with this state folder listens for the command line."""
    return sockets_of(state) / "control.sock"


def holder(state: Path) -> int | None:
    """The process id of the ``poorwill up`` that holds the folder, or None."""
    try:
        with (state / "lock").open("r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return int(json.loads(lock.read() or "0")) or None
    except (OSError, ValueError):
        return None
    return None
