"""Which machine is meant, and how it is known to be that one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


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
