"""How many instances, where a row of ``core.demand.ORDER`` wants any: what the load asks, and what fits."""

from __future__ import annotations

from dataclasses import replace

from poorwill.core.model import Demand, Now, Observation, Service
from poorwill.core.need import last_need
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
    least = 0 if _may_all_go(service, seen, demand, now) else demand.desired
    desired = min(max(asked.desired, least), policy.max_instances)
    told = asked.reason in demand.reason  # a start that is under way carries the reason it began with
    why = demand.reason if told else f"{demand.reason}; {asked.reason}"
    why = why if desired else asked.reason or seen.scale.reason
    return replace(demand, desired=desired, reason=why, until=min(moments, default=None), scaled=asked)


def _may_all_go(service: Service, seen: Observation, demand: Demand, now: Now) -> bool:
    """Whether a rule may remove the last instance, or did so and nobody needed it since."""
    if demand.rule != "in_use" or seen.traffic.active or seen.traffic.busy:
        return False
    if seen.scale.count:
        return True
    last = last_need(service, seen, now)
    return bool(seen.scale.reason) and (last is None or last <= seen.scale.changed_at)


def within_its_room(demand: Demand, seen: Observation) -> Demand:
    """No more instances than its GPU has room for. The first one waits for room, it is not given up."""
    room = demand.desired if seen.gpu is None else max(1, seen.gpu.room)
    if seen.gpu is None or demand.desired <= room:
        return demand
    why = f"; {seen.gpu.why}" if seen.gpu.word is Word.MAY and seen.gpu.why else ""
    return replace(demand, desired=room, reason=f"{demand.reason}{why}")
