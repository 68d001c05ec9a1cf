"""Several instances of one service: which of them are wanted, and what each of them goes through.

Each instance goes by itself through the table of ``core.lifecycle``. What is the gate there is here a door of
its own: shut while the gate of the service is closed, or while Envoy sends nobody to this instance. So an
instance *joins* where a service opens, and *leaves* where a service closes; the gate itself moves with the
first that can take visitors and with the last.

Who goes first when fewer are wanted: what is not ready yet, then what gets no visitors, then the highest
number. What nobody can tell about counts as capacity, and so does what others started.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from poorwill.core import busy, lifecycle
from poorwill.core.action import Action, CloseGate, Cordon, Join, Leave, OpenGate
from poorwill.core.door import Gate, GateState, Membership
from poorwill.core.lifecycle import Step
from poorwill.core.model import (
    Condition,
    Demand,
    Instance,
    IntentKind,
    Now,
    Observation,
    Phase,
    Service,
)
from poorwill.core.work import Hold

Phases = Mapping[str, Phase]

_STRONGEST = (
    Phase.AWAKE,
    Phase.WAKING,
    Phase.UNKNOWN,
    Phase.DRAINING,
    Phase.STOPPING,
    Phase.FAILED,
    Phase.LEFT,
    Phase.ASLEEP,
)
"""The phase of a service is the first of these that one of its instances is in."""


def phases(service: Service, seen: Observation, demand: Demand, now: Now) -> Phases:
    """The phase of each instance by its id."""
    return {
        instance.id: lifecycle.phase(service, _alone(seen, instance), wish, now)
        for instance, wish in _wishes(service, seen, demand)
    }


def phase(of_instances: Phases) -> Phase:
    """The phase of the whole service."""
    return min(of_instances.values(), key=_STRONGEST.index)


def telling(seen: Observation, of_instances: Phases) -> Observation:
    """The service as if the instance that its phase comes from were all of it."""
    whole = phase(of_instances)
    return _alone(seen, next(one for one in seen.instances if of_instances[one.id] is whole))


def steps(service: Service, seen: Observation, demand: Demand, now: Now) -> Step:
    """What to do with the instances and with the gate."""
    if len(seen.instances) == 1:
        return lifecycle.steps(service, seen, demand, now)
    actions: list[Action] = []
    moments: list[float] = []
    wishes = [*_wishes(service, seen, demand)]
    serving = _serving(wishes)
    for instance, wish in wishes:
        step, look_again_at = lifecycle.steps(service, _alone(seen, instance), wish, now)
        moved, moment = _moved(service, seen, instance, wish, serving, step, now)
        actions += moved
        moments += [at for at in (look_again_at, moment) if at is not None]
    if OpenGate() in actions and (strays := _strays(seen, serving)):
        # Before visitors come in again, those who are to go must be out of their way.
        actions = [Leave(one) for one in strays] + [one for one in actions if one != OpenGate()]
    return tuple(dict.fromkeys(actions)), min(moments, default=None)


def before_stop(service: Service, seen: Observation, demand: Demand, now: Now) -> Hold:
    """What a busy probe makes of the stops that nothing else is in the way of."""
    free = busy.LETS_GO
    for instance, wish in _wishes(service, seen, demand):
        if wish.desired:
            continue
        held = lifecycle.before_stop(service, _alone(seen, instance), now)
        if held.why:
            return held
        free = held if held.until is not None else free
    return free


def here(seen: Observation) -> int:
    """How many instances are there, or may be."""
    return sum(not _empty(one) for one in seen.instances)


def _wishes(service: Service, seen: Observation, demand: Demand) -> Iterator[tuple[Instance, Demand]]:
    """Each instance, with what is wanted of it alone."""
    wanted = _chosen(service, seen, demand.desired)
    for instance in seen.instances:
        yield instance, replace(demand, desired=int(instance.id in wanted))


def _chosen(service: Service, seen: Observation, desired: int) -> frozenset[str]:
    """The instances to have. What is being stopped is gone before it can come again, and keeps its number:
    so there are never more than there may be, also when that became fewer.
    """
    several = len(seen.instances) > 1
    eligible = [
        one
        for number, one in enumerate(seen.instances, 1)
        if not (several and (_goes(one) or (number > service.most and _empty(one))))
    ]
    ranked = sorted(eligible, key=_rank)  # stable: the lowest number first
    return frozenset(one.id for one in ranked[:desired])


def _empty(instance: Instance) -> bool:
    return instance.condition is Condition.ABSENT and instance.intent is None


def _goes(instance: Instance) -> bool:
    intent = instance.intent
    return instance.condition is Condition.STOPPING or (intent is not None and intent.kind is IntentKind.STOP)


def _rank(instance: Instance) -> int:
    """The lower, the rather it is kept: who serves, who may well serve, who could, who may soon."""
    if instance.condition is Condition.UNKNOWN:
        return 1
    if instance.condition is Condition.ABSENT:
        return 4 if instance.intent is None else 3
    if not instance.ready:
        return 3
    return 0 if instance.member.state is Membership.IN else 2


def _alone(seen: Observation, instance: Instance) -> Observation:
    """The service as if this instance were all of it."""
    if len(seen.instances) == 1:
        return seen
    return replace(
        seen,
        instances=(instance,),
        gate=_door(seen.gate, instance),
        traffic=instance.traffic,
    )


def _door(gate: Gate, instance: Instance) -> Gate:
    """Whether visitors get to this instance."""
    member = instance.member
    shut = [gate.since] if gate.state is GateState.CLOSED else []
    shut += [member.since] if member.state is Membership.OUT else []
    if shut:
        return Gate(GateState.CLOSED, min(shut))
    moving = gate.state is GateState.MOVING or member.state is Membership.MOVING
    return Gate(GateState.MOVING if moving else GateState.OPEN, max(gate.since, member.since))


def _serving(wishes: Iterable[tuple[Instance, Demand]]) -> frozenset[str]:
    """The instances that visitors are, or can be, sent to."""
    return frozenset(
        instance.id for instance, wish in wishes if wish.desired and (_takes(instance) or _may_take(instance))
    )


def _takes(instance: Instance) -> bool:
    return instance.ready and instance.intent is None and instance.condition is Condition.RUNNING


def _may_take(instance: Instance) -> bool:
    """Nobody can tell; and those who are sent there may well be answered."""
    return instance.condition is Condition.UNKNOWN and instance.member.state is Membership.IN


def _strays(seen: Observation, serving: frozenset[str]) -> list[str]:
    """Instances that would get visitors if the gate opened now, and must not."""
    outside = (one for one in seen.instances if one.id not in serving)
    return [one.id for one in outside if one.member.state is not Membership.OUT]


def _moved(
    service: Service,
    seen: Observation,
    instance: Instance,
    wish: Demand,
    serving: frozenset[str],
    step: tuple[Action, ...],
    now: Now,
) -> tuple[list[Action], float | None]:
    """What the table says of a gate, said of one instance among several; and when time changes that."""
    member, gate = instance.member.state, seen.gate.state
    others = bool(serving - {instance.id})
    if not step and gate is GateState.OPEN and wish.desired and instance.condition is not Condition.UNKNOWN:
        if member is Membership.CORDONED and _takes(instance):
            return [Join(instance.id)], None  # wanted after all
        if member is Membership.IN and not _takes(instance) and others:
            return [Leave(instance.id)], None  # its place began a new life of it
    actions: list[Action] = []
    moment: float | None = None
    for action in step:
        match action:
            case OpenGate():
                actions += [] if member is Membership.IN else [Join(instance.id)]
                actions += [OpenGate()] if gate is GateState.CLOSED else []
            case CloseGate() if others:
                out, moment = _out(service, seen, instance, now)
                actions += out
            case _:
                actions.append(action)
    return actions, moment


def _out(
    service: Service, seen: Observation, instance: Instance, now: Now
) -> tuple[list[Action], float | None]:
    """Who has a session in the memory of the instance may end it, unless a person is in a hurry."""
    if not service.sticky or lifecycle.forced(seen, now) or not _takes(instance):
        return [Leave(instance.id)], None
    if instance.member.state is Membership.IN:
        return [Cordon(instance.id)], None
    last = instance.traffic.last_activity
    until = (instance.member.since if last is None else max(last, instance.member.since)) + service.idle_after
    return ([], until) if now.mono < until else ([Leave(instance.id)], None)
