"""The provider ``ssh``: scripts on another machine that runs all the time."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from poorwill.providers.base import Surroundings
from poorwill.providers.shell.service import ScriptProvider
from poorwill.providers.ssh import options
from poorwill.providers.ssh.target import Target, login_at
from poorwill.providers.ssh.tunnel import Tunnel


class SshProvider(ScriptProvider):
    """See ``ScriptProvider``."""

    Options: ClassVar[type[BaseModel]] = options.Options

    def __init__(self, options: options.Options, around: Surroundings) -> None:
        from poorwill.providers.ssh.shell import SshShell  # asyncssh takes a while to load

        def target() -> Target:
            return login_at(options, options.host, around.base)

        super().__init__(options, around, SshShell(target, around.folder), here=False)
        self._target = target

    def tunnel(self, there: tuple[str, int]) -> Tunnel:
        """To a port of the machine, named as the machine sees it."""
        return Tunnel(self._around, self._target, there, self._around.folder)
