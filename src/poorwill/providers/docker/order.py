"""Who waits for whom when a Compose project starts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from poorwill.errors import Permanent

STARTED, HEALTHY, COMPLETED = "service_started", "service_healthy", "service_completed_successfully"
LABEL = "com.docker.compose.depends_on"


@dataclass(frozen=True, slots=True)
class Need:
    """``service`` has to be as far as ``condition`` says before the one that needs it is started."""

    service: str
    condition: str = STARTED


def from_label(text: str) -> tuple[Need, ...]:
    """Read ``db:service_healthy:false,cache:service_started:true``, as Compose writes it on containers."""
    needs = []
    for one in filter(None, text.split(",")):
        service, _, rest = one.partition(":")
        needs.append(Need(service, rest.partition(":")[0] or STARTED))
    return tuple(needs)


def from_model(depends_on: Any) -> tuple[Need, ...]:
    """Read the value of ``depends_on`` in a Compose file: a list, or names with a condition each."""
    if isinstance(depends_on, Mapping):
        return tuple(
            Need(str(name), (rule or {}).get("condition", STARTED)) for name, rule in depends_on.items()
        )
    return tuple(Need(str(name)) for name in depends_on or ())


def known(needs: Mapping[str, Iterable[Need]]) -> dict[str, tuple[Need, ...]]:
    """Without what is not part of the project (another profile). Raises Permanent when it goes in circles."""
    kept = {name: tuple(need for need in each if need.service in needs) for name, each in needs.items()}
    left = dict(kept)
    while left:
        free = [name for name, each in left.items() if not any(need.service in left for need in each)]
        if not free:
            circle = ", ".join(sorted(left))
            raise Permanent(f"depends_on goes in circles: {circle}", hint="correct it in the Compose file")
        for name in free:
            del left[name]
    return kept


def reversed_needs(needs: Mapping[str, Iterable[Need]]) -> dict[str, tuple[Need, ...]]:
    """For stopping: each waits for those that need it."""
    return {
        name: tuple(Need(other) for other, each in needs.items() if name in {need.service for need in each})
        for name in needs
    }
