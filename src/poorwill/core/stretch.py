"""When a service was used: what the journal keeps of its visitors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a service was in use without a break of more than a minute.

    ``start`` and ``end`` are seconds since the epoch: the first and the last moment of use. ``requests`` is
    how many were answered. ``waited`` of them had to wait for a start, ``wait_seconds`` altogether and at
    the longest ``longest_wait``; ``gave_up`` left before, ``refused`` were sent away with a time to come
    again. ``gpu_memory`` is the most that was in use of the GPU's memory, in bytes, where it is measured.
    """

    service: str
    start: float
    end: float
    requests: int = 0
    waited: int = 0
    wait_seconds: float = 0.0
    longest_wait: float = 0.0
    gave_up: int = 0
    refused: int = 0
    gpu_memory: int | None = None
