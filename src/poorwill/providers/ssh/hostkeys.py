"""Whether a machine is the one it should be: its key against those that were accepted earlier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncssh

from poorwill.errors import Permanent
from poorwill.providers.ssh.target import HostKey, Target


class HostKeys:
    """For one connection: asyncssh asks ``match`` what is known, and ``accept`` about any other key."""

    def __init__(self, target: Target, own: Path) -> None:
        self._target = target
        self._own = own
        self._known = False
        self._name = target.host
        self._shown: asyncssh.SSHKey | None = None

    def match(self, host: str, addr: str, port: int | None) -> Any:
        """Raises ``Permanent`` when a file of keys cannot be read."""
        found: tuple[list[Any], ...] = ([], [], [], [], [], [], [])
        for file in (self._target.users_known_hosts, self._own):
            try:
                known = asyncssh.read_known_hosts(str(file))
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                raise Permanent(
                    f"{file} cannot be read: {error}", hint="correct or remove that line"
                ) from error
            matched = known.match(host, addr, port)
            for keys, more in zip(found, matched, strict=True):
                keys.extend(more)
        self._known = any(found[:2])
        self._name = f"[{host}]:{port}" if port else host
        return found

    def accept(self, key: asyncssh.SSHKey) -> bool:
        """Whether a key that is not known is taken all the same; if so it is remembered."""
        self._shown = key
        if self._known or self._target.host_key is HostKey.STRICT:
            return False
        self._own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._own.open("a", encoding="utf-8") as file:
            file.write(f"{self._line(key)}\n")
        return True

    def refusal(self) -> Permanent:
        """What to raise when the key was refused."""
        target, key = self._target, self._shown
        if self._known:
            files = f"{target.users_known_hosts} or {self._own}"
            shown = f" It shows {_named(key)}." if key else ""
            return Permanent(
                f"THE HOST KEY OF {target.host} HAS CHANGED: nothing was sent.{shown}",
                hint="somebody may be in between, or the machine was made anew. Only when you know that it "
                f"was: remove the old key with ssh-keygen -R '{self._name}' -f FILE, where FILE is {files}",
            )
        if key is None:
            return Permanent(
                f"the host key of {target.host} cannot be checked", hint=f"see ssh -v {target.host}"
            )
        where = f"/etc/ssh/ssh_host_{_kind(key)}_key.pub"
        return Permanent(
            f"the host key of {target.host} is not known yet. It shows {_named(key)}",
            hint=f"on that machine, ssh-keygen -lf {where} must print the same; then accept it here: "
            f"echo '{self._line(key)}' >> {target.users_known_hosts}",
        )

    def _line(self, key: asyncssh.SSHKey) -> str:
        return f"{self._name} {key.export_public_key().decode().strip()}"


def _named(key: asyncssh.SSHKey | None) -> str:
    return f"{key.get_algorithm()} {key.get_fingerprint()}" if key else ""


def _kind(key: asyncssh.SSHKey) -> str:
    algorithm = key.get_algorithm()
    return next((kind for kind in ("ed25519", "ecdsa", "rsa") if kind in algorithm), "*")
