"""When a service was used: what the journal keeps of its visitors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

GAP = 60.0
"""Seconds without anybody after which a stretch is over."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a service was in use without a break of more than a minute.

    ``start`` and ``end`` are seconds since the epoch: the first and the last moment of use. ``requests`` is
    how many were answered. ``waited`` of them had to wait for a start, ``wait_seconds`` altogether and at
    the longest ``longest_wait``; ``gave_up`` left before, ``refused`` were sent away with a time to come
    again. ``gpu_memory`` is the most that was in use of the GPU's memory, in bytes, where it is measured.

    Somebody who came and did not get in is a moment of use, too: a stretch may have no ``requests`` at all.
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

    def as_json(self) -> Json:
        """For the journal, whose line names the service; ``stretch_from`` reads it."""
        told = asdict(self)
        del told["service"]
        return told


def stretch_from(service: str, told: Mapping[str, Any]) -> Stretch:
    """What ``as_json`` wrote. Raises TypeError for anything else."""
    return Stretch(service, **told)


def joined(stretches: Iterable[Stretch], gap: float = GAP) -> tuple[Stretch, ...]:
    """As they were before they were written in parts, in the order of time: those of one service that are
    not further apart than ``gap`` are one. Nothing is counted twice, as each part counts its own.
    """
    whole: list[Stretch] = []
    latest: dict[str, int] = {}
    for one in sorted(stretches, key=lambda one: (one.start, one.end)):
        place = latest.get(one.service)
        if place is not None and one.start - whole[place].end <= gap:
            whole[place] = _together(whole[place], one)
        else:
            latest[one.service] = len(whole)
            whole.append(one)
    return tuple(whole)


def _together(first: Stretch, second: Stretch) -> Stretch:
    peaks = [one.gpu_memory for one in (first, second) if one.gpu_memory is not None]
    return replace(
        first,
        end=max(first.end, second.end),
        requests=first.requests + second.requests,
        waited=first.waited + second.waited,
        wait_seconds=first.wait_seconds + second.wait_seconds,
        longest_wait=max(first.longest_wait, second.longest_wait),
        gave_up=first.gave_up + second.gave_up,
        refused=first.refused + second.refused,
        gpu_memory=max(peaks, default=None),
    )
