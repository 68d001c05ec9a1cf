"""Everything Poorwill raises on purpose.

    PoorwillError            something a person can act on; carries a hint
    ├── BadInput             the user's input cannot be used (CLI exit code 2)
    │   └── ConfigError      poorwill.yaml is wrong: all problems at once, each with its place
    ├── StateError           the state folder or the journal cannot be used
    ├── GatewayError         Envoy could not be started, configured or confirmed
    ├── NotRunning           a command needs a running `poorwill up` and there is none
    └── ProviderError        a place where instances live said no
        ├── Temporary        try again later; says nothing about the instance's state
        │   └── NoCapacity   the place has nothing free to start it on (no GPU in stock)
        └── Permanent        trying again unchanged will fail again (missing command, no permission)

Each error says what happened; ``hint`` says what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class PoorwillError(Exception):
    """Base of all; ``str(error)`` is one sentence, ``error.hint`` is the way out (may be empty)."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class BadInput(PoorwillError):
    """What the user typed or wrote cannot be used."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a configuration file.

    ``line`` and ``column`` count from 1; 0 means the place is unknown. ``key`` is the path of keys
    joined by dots (``services.notes.idle_after``), empty for the file as a whole.
    """

    file: str
    line: int
    column: int
    key: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}:{key} {self.message}{hint}"


class ConfigError(BadInput):
    """The configuration is wrong; ``problems`` holds every one of them, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class StateError(PoorwillError):
    """The state folder cannot be used: not writable, locked by another Poorwill, or damaged."""


class GatewayError(PoorwillError):
    """Envoy could not be started, configured, or did not confirm a change."""


class NotRunning(PoorwillError):
    """There is no running ``poorwill up`` to talk to."""


class ProviderError(PoorwillError):
    """A provider could not do what it was asked."""


class Temporary(ProviderError):
    """The provider may succeed later. ``delay`` is the wait it asked for, in seconds, if it named one."""

    def __init__(self, message: str, *, hint: str = "", delay: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.delay = delay


class NoCapacity(Temporary):
    """Nothing is free to start it on, such as no GPU in stock. ``delay`` says when to ask again."""


class Permanent(ProviderError):
    """The provider will fail the same way until a person changes something."""
