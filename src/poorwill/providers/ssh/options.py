"""What a user may write below ``run: ssh:``."""

from __future__ import annotations

from pydantic import Field

from poorwill.config.ssh import SshLogin
from poorwill.providers.shell.options import ScriptOptions


class Options(SshLogin, ScriptOptions):
    """Your own scripts on another machine. What is left out comes from ~/.ssh/config, as for ssh itself."""

    host: str = Field(
        min_length=1, description="The machine: a name, an address, or a Host of ~/.ssh/config."
    )
