"""What the verdict on a shared GPU (``core.allocate``) makes of the demand for a service."""

from __future__ import annotations

from dataclasses import replace

from poorwill.core.model import Demand, Now, Observation, Service
from poorwill.core.share import Word


def makes_room(_service: Service, seen: Observation, _now: Now) -> Demand | None:
    """The row ``gpu`` of ``core.demand.ORDER``."""
    return Demand(0, seen.gpu.why) if seen.gpu and seen.gpu.word is Word.GOES else None


def within_its_room(demand: Demand, seen: Observation) -> Demand:
    """No more instances than its GPU has room for. The first one waits for room, it is not given up."""
    room = demand.desired if seen.gpu is None else max(1, seen.gpu.room)
    if seen.gpu is None or demand.desired <= room:
        return demand
    why = f"; {seen.gpu.why}" if seen.gpu.word is Word.MAY and seen.gpu.why else ""
    return replace(demand, desired=room, reason=f"{demand.reason}{why}")
