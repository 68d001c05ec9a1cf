"""What a user may write below ``run: process:``."""

from __future__ import annotations

import re
import shlex
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator

from poorwill.config.complaint import expected, wrong
from poorwill.config.units import Duration
from poorwill.host.table import MARK

PORT = "{port}"
"""Stands for the instance's own port, in the command and in the values of ``env``."""

_SHELL_WORDS = frozenset({"&&", "||", "|", ";", "&", ">", ">>", "<"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def _words(value: object) -> object:
    """Split a single line as a shell would; the words of a list stay as they are."""
    if isinstance(value, list | tuple):
        return tuple(_text(word) for word in value)
    if not isinstance(value, str):
        raise expected("a command such as [python3, app.py]")
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise wrong("the quotes in this command do not match", "write it as a list") from error
    if _SHELL_WORDS.intersection(words):
        raise wrong("this command needs a shell, and none is used", "write [sh, -c, '...']")
    if words and _ASSIGNMENT.match(words[0]):
        raise wrong("this command needs a shell, and none is used", "put variables below env")
    return tuple(words)


def _text(value: object) -> object:
    """Accept an unquoted whole number. Not a fraction: 1.10 would silently become 1.1."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise expected("a text", "put it in quotes")


Command = Annotated[
    tuple[str, ...],
    BeforeValidator(_words),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "minItems": 1, "items": {"type": ["string", "integer"]}},
            ]
        }
    ),
]
Value = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "integer"]})]


class LogOptions(BaseModel):
    """How much of an instance's output is kept: one file that grows, and ``keep`` older ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_size: int = Field(default=10 * 1024 * 1024, ge=1024, description="Bytes before the log is rotated.")
    keep: int = Field(default=3, ge=0, le=100, description="How many older logs are kept.")


class Options(BaseModel):
    """A command to run on this host, without a shell.

    ``{port}`` in the command or in a value of ``env`` becomes a free port of the instance's own; then
    the service needs no ``address``. ``{number}`` becomes the instance's number, ``{index}`` the same
    counted from 0, ``{instance}`` its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: Command = Field(description="Program and arguments, as a list or as one line; no shell is used.")
    cwd: str = Field(
        default=".", description="Folder to run in. Relative paths belong to the folder of poorwill.yaml."
    )
    env: dict[str, Value] = Field(
        default_factory=dict,
        description="Variables added to a clean environment (PATH, HOME, LANG and the like). Nothing else is "
        "inherited, so CUDA_VISIBLE_DEVICES and the like belong here.",
    )
    stop_timeout: Duration = Field(
        default=10.0, ge=0, description="Time between SIGTERM and SIGKILL when the instance is stopped."
    )
    log: LogOptions = Field(default_factory=LogOptions, description="How much of its output is kept.")

    @field_validator("command")
    @classmethod
    def _check_command(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        if not command or not command[0].strip():
            raise wrong("the program's name is empty", "write a command such as [python3, app.py]")
        if any("\0" in word for word in command):
            raise wrong("a command cannot hold a NUL character")
        return command

    @field_validator("env")
    @classmethod
    def _check_env(cls, env: dict[str, str]) -> dict[str, str]:
        for name, value in env.items():
            if not name or "=" in name or "\0" in name + value:
                raise wrong(f"{name!r} cannot be a variable", "neither '=' in its name nor a NUL is possible")
            if name == MARK:
                raise wrong(f"{MARK} is set by Poorwill itself", "leave it out")
        return env

    @property
    def gives_address(self) -> bool:
        """Whether each instance listens on a port that Poorwill chooses."""
        return any(PORT in text for text in (*self.command, *self.env.values()))

    @property
    def several(self) -> str:
        """Why there cannot be several instances; empty when each has a port of its own."""
        if self.gives_address:
            return ""
        return (
            "without {port} in the command every instance would use the same port: write {port} where the "
            'program takes it, such as [python3, app.py, --port, "{port}"], and leave address out'
        )

    @property
    def measures_cpu(self) -> bool:
        return True

    @property
    def gives_exit_code(self) -> bool:
        """A process that ends by itself always tells how, also after a restart of Poorwill."""
        return True
