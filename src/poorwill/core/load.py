"""What a service had to do lately: the readings that rules about load are functions of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Buckets = tuple[tuple[float, int], ...]
"""How many requests took how long: (upper bound in seconds, count of this bucket alone), in rising order.

A bucket begins where the one before ends; where there is a gap, an empty bucket ends at its beginning.
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was counted in the ``span`` seconds that ended at ``at`` (monotonic).

    ``begun`` and ``ended`` are requests to the service, ``errors`` those of the ended that it answered with
    a 5xx or not at all. ``seconds`` is how long those took together that were answered to the end, ``took``
    how they spread; a websocket, or a request whose visitor left, is not among them. The rest is as it was
    at ``at``: ``open`` requests at the service, ``queued`` ones that wait for a slot of an awake service,
    ``held`` ones that wait for it to wake, and ``gauges`` by name (``cpu``, ``memory``, ``gpu_utilization``,
    ``gpu_memory``, or the name of a source of the user's).
    """

    at: float
    span: float
    begun: int = 0
    ended: int = 0
    errors: int = 0
    seconds: float = 0.0
    took: Buckets = ()
    open: int = 0
    queued: int = 0
    held: int = 0
    gauges: Mapping[str, float] = field(default_factory=dict)

    @property
    def timed(self) -> int:
        """How many requests ``seconds`` is the sum of."""
        return sum(count for _, count in self.took)


@dataclass(frozen=True, slots=True)
class Load:
    """The latest readings of one service, oldest first, about one a second.

    ``troubles`` says by name which gauges cannot be read now, and why.
    """

    readings: tuple[Reading, ...] = ()
    troubles: Mapping[str, str] = field(default_factory=dict)
