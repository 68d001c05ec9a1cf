"""The containers of one instance: one, or all of a Compose project, and the one that visitors reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from poorwill.providers.docker.order import Need
from poorwill.providers.docker.state import Seen


@dataclass(frozen=True, slots=True)
class Group:
    """``services`` holds each service's containers, the lowest number first; ``visited`` names the one
    that visitors reach. ``needs`` is who waits for whom. What is in ``keep`` is started and never stopped.
    """

    visited: str
    services: Mapping[str, tuple[Seen, ...]] = field(default_factory=dict)
    needs: Mapping[str, tuple[Need, ...]] = field(default_factory=dict)
    keep: frozenset[str] = frozenset()

    @property
    def main(self) -> Seen | None:
        return next(iter(self.services.get(self.visited, ())), None)

    @property
    def sleeping(self) -> Mapping[str, tuple[Seen, ...]]:
        """The services that sleep when the instance does."""
        return {name: each for name, each in self.services.items() if name not in self.keep}

    @property
    def holds(self) -> bool:
        """Whether something of it is still to be stopped."""
        return any(seen.holds for each in self.sleeping.values() for seen in each)

    def down(self) -> list[Seen]:
        """What is down beside the main one and should not be."""
        return [seen for seen in self if not seen.is_up and seen.exit_code != 0 and seen is not self.main]

    def __iter__(self) -> Iterator[Seen]:
        return (seen for each in self.services.values() for seen in each)
