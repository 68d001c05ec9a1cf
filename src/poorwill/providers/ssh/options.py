"""What a user may write below ``run: ssh:``."""

from __future__ import annotations

from pydantic import Field

from poorwill.providers.shell.options import ScriptOptions
from poorwill.providers.ssh.target import HostKey


class Options(ScriptOptions):
    """Your own scripts on another machine. What is left out comes from ~/.ssh/config, as for ssh itself."""

    host: str = Field(
        min_length=1, description="The machine: a name, an address, or a Host of ~/.ssh/config."
    )
    port: int | None = Field(default=None, ge=1, le=65535, description="Port of its sshd.")
    user: str | None = Field(default=None, min_length=1, description="User to log in as.")
    key: str | None = Field(
        default=None,
        min_length=1,
        description="File of the private key, without a passphrase. Relative to the folder of poorwill.yaml. "
        "Default: ssh-agent and the usual keys in ~/.ssh.",
    )
    password_env: str | None = Field(
        default=None,
        min_length=1,
        description="Name of the environment variable that holds the password. A key is better.",
    )
    known_hosts: str | None = Field(
        default=None, min_length=1, description="File of known host keys. Default: ~/.ssh/known_hosts."
    )
    host_key: HostKey = Field(
        default=HostKey.STRICT,
        description="strict: only machines whose key you have accepted. accept-new: remember the first key "
        "that is seen. A changed key is refused in both.",
    )
