"""Which machine is meant, and how it is known to be that one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from poorwill.config.ssh import SshLogin
from poorwill.errors import Permanent


class HostKey(StrEnum):
    """STRICT: only machines whose key a person has accepted. ACCEPT_NEW: the first key that is seen is
    remembered. A key that changed is refused in both.
    """

    STRICT = "strict"
    ACCEPT_NEW = "accept-new"


@dataclass(frozen=True, slots=True)
class Target:
    """``host`` may be a name from ``~/.ssh/config``; what is None comes from there, or is SSH's default.

    ``known_hosts`` None means ``~/.ssh/known_hosts``; the shell's own file counts as well.
    """

    host: str
    port: int | None = None
    user: str | None = None
    key: Path | None = None
    password: str | None = None
    known_hosts: Path | None = None
    host_key: HostKey = HostKey.STRICT

    def __str__(self) -> str:
        name = f"{self.user}@{self.host}" if self.user else self.host
        return f"{name}:{self.port}" if self.port else name

    @property
    def users_known_hosts(self) -> Path:
        return self.known_hosts or Path("~/.ssh/known_hosts").expanduser()


def login_at(
    login: SshLogin, host: str, base: Path, port: int | None = None, user: str | None = None
) -> Target:
    """What the configuration says, at a place. ``port`` and ``user`` count where it says none; relative files
    belong to ``base``. Raises ``Permanent`` when the password's variable is not set.
    """
    return Target(
        host=host,
        port=login.port or port,
        user=login.user or user,
        key=_file(login.key, base),
        password=_password(login.password_env),
        known_hosts=_file(login.known_hosts, base),
        host_key=HostKey(login.host_key),
    )


def _file(name: str | None, base: Path) -> Path | None:
    return None if name is None else (base / Path(name).expanduser()).absolute()


def _password(variable: str | None) -> str | None:
    if variable is None:
        return None
    if variable not in os.environ:
        raise Permanent(
            f"the variable {variable} with the password is not set",
            hint=f"start poorwill with {variable}=...",
        )
    return os.environ[variable]
