"""How many instances, where a row of ``core.demand.ORDER`` wants any: what the load asks, and what fits."""

from __future__ import annotations

from dataclasses import replace

from poorwill.core.model import Demand, Now, Observation, Service
from poorwill.core.scale import scaled
from poorwill.core.share import Word


def by_load(service: Service, seen: Observation, demand: Demand, now: Now) -> Demand:
    """As many instances as the load asks for, where a row wants any. A rule that removes the last one is
    heard only where nothing but earlier use keeps the service awake.
    """
    policy = service.scale
    if policy is None or not demand.desired:
        return demand
    asked = scaled(policy, seen.load, seen.scale, seen.asked.waiting, now.mono)
    moments = [at for at in (demand.until, asked.until) if at is not None]
    may_go = demand.rule == "in_use" and not (seen.traffic.active or seen.traffic.busy)
    desired = min(max(asked.desired, 0 if may_go else demand.desired), policy.max_instances)
    told = asked.reason in demand.reason  # a start that is under way carries the reason it began with
    why = (demand.reason if told else f"{demand.reason}; {asked.reason}") if desired else asked.reason
    return replace(demand, desired=desired, reason=why, until=min(moments, default=None), scaled=asked)


def within_its_room(demand: Demand, seen: Observation) -> Demand:
    """No more instances than its GPU has room for. The first one waits for room, it is not given up."""
    room = demand.desired if seen.gpu is None else max(1, seen.gpu.room)
    if seen.gpu is None or demand.desired <= room:
        return demand
    why = f"; {seen.gpu.why}" if seen.gpu.word is Word.MAY and seen.gpu.why else ""
    return replace(demand, desired=room, reason=f"{demand.reason}{why}")
