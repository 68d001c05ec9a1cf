"""A service that its machine starts by itself: it is there when the machine is, and nobody starts it.

What ``stop`` stops is our interest in it: from then on it counts as absent, so that the machine may go when
nothing else on it is wanted. Whether the machine is on is not seen here but by whoever has charge of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from poorwill.core.model import Condition
from poorwill.providers.base import Handle, Json, Sighting, Surroundings


class Options(BaseModel):
    """Nothing to say: the service comes and goes with the machine it is ``on``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def on_machine(self) -> bool:
        """Whether a service that runs like this can live on a machine."""
        return True

    @property
    def several(self) -> str:
        return (
            "what a machine starts by itself is there once: say how Poorwill starts it, with run: command or "
            "run: docker"
        )


class MachineProvider:
    """See ``providers.base.Provider``."""

    Options: ClassVar[type[BaseModel]] = Options
    settle: float = 0.0
    stale_after: float = 30.0

    def __init__(self, options: Any, around: Surroundings) -> None:
        self._around = around
        self._lives: dict[str, str] = {}

    async def adopt(self, known: Mapping[str, Handle]) -> None:
        for instance, handle in known.items():
            self._lives.setdefault(instance, str(handle.data["life"]))

    async def prepare(self, instance: str) -> Mapping[str, Json]:
        return {}

    async def start(self, instance: str, prepared: Mapping[str, Json]) -> Handle:
        return Handle(instance, {"life": self._lives.setdefault(instance, secrets.token_hex(8))})

    async def stop(self, instance: str) -> None:
        self._lives.pop(instance, None)
        self._around.changed()

    async def lost(self) -> None:
        self._lives.clear()

    async def log_tail(self, instance: str, lines: int) -> list[str]:
        return []

    async def close(self) -> None:
        return

    async def list(self) -> list[Sighting]:
        return [
            Sighting(instance, Condition.RUNNING, life, handle=Handle(instance, {"life": life}), by_us=True)
            for instance, life in self._lives.items()
        ]
