"""When a service could be used: its lives without their coming and going."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from poorwill.core.ledger import DOUBT
from poorwill.core.life import Life
from poorwill.core.spans import Span, clip, total, union
from poorwill.store.event import Event, Kind


@dataclass(frozen=True, slots=True)
class Awake:
    """``lives`` is when each instance could be used, ``spans`` when at least one could. In seconds: ``up``
    is that of all instances, ``switching`` what they were there beside it: starting, ending, failing.
    """

    lives: tuple[Span, ...]
    spans: tuple[Span, ...]
    up: float
    switching: float


def awake(lives: Sequence[Life], events: Sequence[Event], since: float, until: float) -> Awake:
    """``events`` are START, READY, STOP and FAILED of the same payer. A life that Poorwill did not start, or
    of whose start nothing is known, counts as one that could be used all the time.
    """
    moments: dict[tuple[str, Kind], list[float]] = {}
    for event in sorted(events, key=lambda one: one.at):
        moments.setdefault((event.instance, event.kind), []).append(event.at)
    usable, there = [], 0.0
    ended: dict[str, float] = {}
    for life in sorted(lives, key=lambda one: one.start):
        end = until if life.end is None else life.end
        there += total(clip([(life.start, end)], since, until))
        ready = _first(moments.get((life.instance, Kind.READY)), life.start, end)
        stop = _first(moments.get((life.instance, Kind.STOP)), ready or life.start, end)
        failed = _first(moments.get((life.instance, Kind.FAILED)), life.start, end)
        begun = max(life.start - DOUBT, ended.get(life.instance, since - DOUBT))
        started = _first(moments.get((life.instance, Kind.START)), begun, end)
        ended[life.instance] = end
        if ready is None and (failed or (stop and started)):
            continue  # it never answered
        usable += clip([(ready or life.start, stop or end)], since, until)
    up = total(usable)
    return Awake(tuple(usable), tuple(union(usable)), up, max(0.0, there - up))


def _first(moments: Sequence[float] | None, since: float, until: float) -> float | None:
    known = moments or []
    place = bisect_left(known, since)
    return known[place] if place < len(known) and known[place] <= until else None
