"""How to log in to a machine by SSH."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SshLogin(BaseModel):
    """Who logs in, and which host keys are believed. What is left out comes from ~/.ssh/config."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port of its sshd. Default: what the cloud answers, if there is one, else SSH's own.",
    )
    user: str | None = Field(default=None, min_length=1, description="Who to log in as.")
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
    host_key: Literal["strict", "accept-new"] = Field(
        default="strict",
        description="strict: only a machine whose key you have accepted. accept-new: remember the first key "
        "that is seen. A changed key is refused in both.",
    )


class SshAccess(SshLogin):
    """How to log in to a rented machine."""

    host: str = Field(
        default="{host}", min_length=1, description="Where to log in; {host} is what the cloud answers."
    )
