"""The place of a service on its GPUs: what it needs of them, and where they can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from poorwill.core.share import Card, Share
from poorwill.providers.base import Shell


@dataclass(frozen=True, slots=True)
class Seat:
    """``shell`` runs commands on the host of the cards; None where nobody can log in."""

    share: Share
    shell: Shell | None

    def memory(self) -> dict[str, Any]:
        """What has to be remembered of it to know which cards a service holds that left the configuration."""
        return asdict(self.share)


def remembered(told: Mapping[str, Any]) -> Share:
    """The share that ``Seat.memory`` told. Raises TypeError when it is not one."""
    return Share(**{**told, "cards": tuple(Card(**card) for card in told["cards"])})
