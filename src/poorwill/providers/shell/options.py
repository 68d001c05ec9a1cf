"""What a user may write about his start, stop and status scripts."""

from __future__ import annotations

import shlex
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator

from poorwill.config.complaint import expected, wrong
from poorwill.config.units import Duration, at_least
from poorwill.host.table import MARK
from poorwill.providers import instances
from poorwill.providers.process.options import Value

Word = Literal["running", "starting", "stopping", "stopped", "unknown"]
"""What a status script may say of the service."""


def _line(value: object) -> object:
    """One line of a shell; a list is made into one, its words quoted."""
    if isinstance(value, list | tuple):
        words = [word if isinstance(word, str) else _number(word) for word in value]
        value = shlex.join(words)
    if not isinstance(value, str) or not value.strip():
        raise expected("a command such as ./start.sh or [./start.sh, --port, 9100]")
    if "\0" in value:
        raise wrong("a command cannot hold a NUL character")
    return value.strip()


def _number(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise expected("a text", "put it in quotes")


Line = Annotated[
    str,
    BeforeValidator(_line),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "minItems": 1, "items": {"type": ["string", "integer"]}},
            ]
        }
    ),
]


class ScriptOptions(BaseModel):
    """Your own commands, each one line of a POSIX shell.

    In each of them, and in the values of ``env``, ``{number}`` becomes the instance's number, ``{index}``
    the same counted from 0, ``{instance}`` its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Line = Field(
        description="Starts the service in the background and ends with exit code 0; one line for sh, or a "
        "list of words. POORWILL_SERVICE, POORWILL_INSTANCE_ID and POORWILL_INSTANCE_NUMBER are set."
    )
    stop: Line = Field(description="Stops the service and ends with exit code 0.")
    status: Line | None = Field(
        default=None,
        description="Tells whether the service runs: exit code 0 means running, 1 or 3 stopped, every other "
        "unknown. Without it, an open port at `address` means running.",
    )
    status_codes: dict[int, Word] = Field(
        default_factory=dict,
        description="What other exit codes of status mean, such as {2: stopped}: running, starting, "
        "stopping, stopped or unknown.",
    )
    timeout: Annotated[Duration, at_least(1)] = Field(
        default=300.0, description="How long start may take before it is ended and counts as failed."
    )
    stop_timeout: Annotated[Duration, at_least(1)] = Field(
        default=120.0, description="How long stop may take before it is ended and counts as failed."
    )
    status_timeout: Annotated[Duration, at_least(0.1)] = Field(
        default=10.0, description="How long status may take before its answer counts as unknown."
    )
    cwd: str = Field(
        default=".",
        description="Folder to run in. On this host relative to the folder of poorwill.yaml, on another "
        "machine to the user's home.",
    )
    env: dict[str, Value] = Field(
        default_factory=dict,
        description="Variables for all three. On this host nothing else is inherited but PATH, HOME, LANG "
        "and the like.",
    )

    @field_validator("env")
    @classmethod
    def _check_env(cls, env: dict[str, str]) -> dict[str, str]:
        for name, value in env.items():
            if not name.isidentifier() or not name.isascii() or "\0" in value:
                raise wrong(f"{name!r} cannot be a variable", "use letters, digits and _")
            if name == MARK:
                raise wrong(f"{MARK} is set by Poorwill itself", "leave it out")
        return env

    @property
    def several(self) -> str:
        """Why there cannot be several instances; empty when each script is told which one is meant."""
        if self.status is None:
            return (
                "without a status script nobody can tell which of several instances runs: add "
                "status: ./status.sh {number}"
            )
        if instances.tells_apart(self.env.values()):
            return ""
        for key, line in (("start", self.start), ("stop", self.stop), ("status", self.status)):
            if not instances.tells_apart([line]):
                return (
                    f"{key} is the same for every instance: say which one is meant, such as "
                    f"{key}: ./{key}.sh {{number}}"
                )
        return ""

    @property
    def gives_address(self) -> bool:
        """Scripts do not say where the service answers: ``address`` must."""
        return False
