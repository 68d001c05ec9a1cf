"""How long wakes take: the honest answer to "when will it be ready?" comes from measured ones only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

WINDOW = 50
"""Only so many of the newest wakes count, so that an estimate follows a service that changed."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the last ``count`` wakes say; ``median`` and ``p90`` are seconds from asking to ready."""

    median: float
    p90: float
    count: int


def estimate(wakes: Sequence[float]) -> Estimate | None:
    """Sum up measured wakes in seconds, oldest first; None when there is none.

    ``p90`` is the nearest rank, a wake that really happened, so "at most p90 in 9 of 10 wakes" is true
    as written; ``median`` is the usual one (the mean of the middle two when their number is even).
    Values that cannot be durations (negative, not finite) are left out.
    """
    measured = [seconds for seconds in wakes if isfinite(seconds) and seconds >= 0][-WINDOW:]
    if not measured:
        return None
    ordered = sorted(measured)
    count = len(ordered)
    median = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    rank = -(-9 * count // 10)  # ceil(0.9 * count) in whole numbers
    return Estimate(median=median, p90=ordered[rank - 1], count=count)
