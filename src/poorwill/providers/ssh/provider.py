"""The provider ``ssh``: scripts on another machine that runs all the time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from poorwill.errors import Permanent
from poorwill.providers.base import Surroundings
from poorwill.providers.shell.service import ScriptProvider
from poorwill.providers.ssh import options
from poorwill.providers.ssh.shell import SshShell
from poorwill.providers.ssh.target import Target


class SshProvider(ScriptProvider):
    """See ``ScriptProvider``."""

    Options: ClassVar[type[BaseModel]] = options.Options

    def __init__(self, options: options.Options, around: Surroundings) -> None:
        def target() -> Target:
            return Target(
                host=options.host,
                port=options.port,
                user=options.user,
                key=_file(options.key, around.base),
                password=_password(options.password_env),
                known_hosts=_file(options.known_hosts, around.base),
                host_key=options.host_key,
            )

        super().__init__(options, around, SshShell(target, around.folder), here=False)


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
