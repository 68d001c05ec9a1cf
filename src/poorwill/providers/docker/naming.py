"""Which instance a container belongs to: names, labels and project names that may hold ``{instance}`` or
``{number}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from poorwill.providers.instances import filled, meant, tells_apart

OF_COMPOSE = "com.docker.compose."
PROJECT = f"{OF_COMPOSE}project"


@dataclass(frozen=True, slots=True)
class Naming:
    """``label`` is the key whose value ``pattern`` describes; empty when it is the container's name.

    ``only`` is the one instance there can be when the pattern is the same for all.
    """

    pattern: str
    only: str
    label: str = ""

    @property
    def is_for_many(self) -> bool:
        return tells_apart([self.pattern])

    @property
    def service(self) -> str:
        return self.only.rpartition("-")[0]

    def value(self, instance: str) -> str:
        return filled(self.pattern, instance)

    def instance(self, value: str | None) -> str | None:
        """The instance that a name or a label's value stands for; None when it is none of ours."""
        if value is None:
            return None
        if not self.is_for_many:
            return self.only if value == self.pattern else None
        return meant(self.pattern, value, self.service)

    def of_container(self, name: str, labels: Mapping[str, str]) -> str | None:
        return self.instance(labels.get(self.label) if self.label else name.removeprefix("/"))

    def filters(self) -> dict[str, list[str]]:
        """For the engine's list: as few strangers as it can tell apart."""
        if not self.label:
            # A filter by name is a search for a part of it; a name in full is anchored.
            return {"name": [f"^/?{re.escape(self.pattern)}$"]} if not self.is_for_many else {}
        return {"label": [self.label if self.is_for_many else f"{self.label}={self.pattern}"]}

    def words(self, instance: str) -> str:
        """For people: ``the container kb``."""
        value = self.value(instance)
        return f"a container with the label {self.label}={value}" if self.label else f"a container {value}"


def service_of(labels: Mapping[str, Any]) -> str:
    """The Compose service that a container is of."""
    return str(labels.get("com.docker.compose.service", ""))


def is_one_off(labels: Mapping[str, Any]) -> bool:
    """Whether it was made by ``docker compose run``: nobody's service."""
    return str(labels.get("com.docker.compose.oneoff", "")).lower() == "true"
