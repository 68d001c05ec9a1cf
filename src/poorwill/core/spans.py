"""Stretches of time as sets: joined, cut to size, one without the other.

A span is its start and its end in seconds; the end is not in it. What is returned is in order and does not
overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

Span = tuple[float, float]
_Time = TypeVar("_Time", int, float)


def union(spans: Iterable[tuple[_Time, _Time]], gap: float = 0) -> list[tuple[_Time, _Time]]:
    """What is in any of them; pauses of up to ``gap`` are closed. Whole microseconds stay whole."""
    joined: list[tuple[_Time, _Time]] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if joined and start <= joined[-1][1] + gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def clip(spans: Iterable[Span], since: float, until: float) -> list[Span]:
    """Only what lies within this time."""
    cut = ((max(start, since), min(end, until)) for start, end in spans)
    return [(start, end) for start, end in cut if start < end]


def minus(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What is in ``spans`` and in none of the others."""
    taken, left = union(others), []
    first = 0
    for start, end in union(spans):
        while first < len(taken) and taken[first][1] <= start:
            first += 1
        for begins, ends in taken[first:]:
            if begins >= end:
                break
            if begins > start:
                left.append((start, begins))
            start = max(start, ends)
        if start < end:
            left.append((start, end))
    return left


def both(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What is in ``spans`` and in one of the others."""
    ours = union(spans)
    return minus(ours, minus(ours, others))


def total(spans: Sequence[Span]) -> float:
    """Their seconds, added up."""
    return sum(end - start for start, end in spans)
