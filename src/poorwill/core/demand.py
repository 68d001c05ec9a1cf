"""From everybody's wishes to a number of instances, and one sentence of why.

The order, from strongest to weakest: a person's ``sleep``, a person's ``wake``, visitors who wait, a
start under way, recent activity. Safety and running work stand above all of these, but they bind
*stopping* (see ``core.lifecycle``), not wanting: an instance that is not wanted any more still ends its
work first.
"""

from __future__ import annotations

from poorwill.core.model import (
    Condition,
    Demand,
    Hand,
    HandKind,
    IntentKind,
    Now,
    Observation,
    Outcome,
    Service,
)

WAITING = "requests are waiting"


def wanted(service: Service, seen: Observation, now: Now) -> Demand:
    """How many instances the service should have."""
    hand = in_force(seen.hand, now)
    if hand is not None:
        if hand.kind is HandKind.SLEEP:
            return Demand(0, f"put to sleep {hand.by}", hand.until)
        return Demand(1, f"kept awake {hand.by}", hand.until)
    if seen.asked.waiting > 0:
        return Demand(1, WAITING)
    starting = next(
        (i.intent for i in seen.instances if i.intent and i.intent.kind is IntentKind.START), None
    )
    if starting is not None:
        return Demand(1, starting.reason or "a start is under way")
    last = _last_need(seen)
    idle = _span(service.idle_after)
    if last is None:
        return Demand(0, "nobody asks for it")
    idle_at = last + service.idle_after
    if now.mono < idle_at:
        here = any(instance.condition is not Condition.ABSENT for instance in seen.instances)
        why = f"in use; sleeps after {idle} without activity" if here else "somebody asked for it"
        return Demand(1, why, idle_at)
    return Demand(0, f"no activity for {idle}")


def in_force(hand: Hand | None, now: Now) -> Hand | None:
    """What a person said, as long as it holds."""
    return hand if hand is not None and (hand.until is None or now.mono < hand.until) else None


def _last_need(seen: Observation) -> float | None:
    """The newest moment at which somebody needed the service and was not served by an earlier life.

    Activity belongs to the life it happened in: after a stop on purpose it is history, after a crash
    it is the reason to come back.
    """
    moments = []
    for instance in seen.instances:
        ended_at = instance.outcome_at if instance.outcome is Outcome.STOPPED else None
        gone_by_itself = instance.outcome in (Outcome.READY, Outcome.CRASHED)
        if instance.condition is not Condition.ABSENT or gone_by_itself:
            lived = [seen.traffic.last_activity, instance.ready_since]
            # Gone while nobody watched: whoever came meanwhile may still be waiting behind the open gate.
            unseen = instance.outcome is Outcome.CRASHED and lived == [None, None]
            moments += [instance.outcome_at] if unseen else lived
        if instance.condition is Condition.RUNNING:
            moments.append(instance.seen_since)
        if seen.asked.last_at is not None and (ended_at is None or seen.asked.last_at > ended_at):
            moments.append(seen.asked.last_at)
    known = [moment for moment in moments if moment is not None]
    return max(known) if known else None


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"
