"""Which moments count as somebody's need of a service, and which are history."""

from __future__ import annotations

from poorwill.core import due
from poorwill.core.model import Condition, Instance, Now, Observation, Outcome, Service


def last_need(service: Service, seen: Observation, now: Now) -> float | None:
    """The newest moment at which somebody needed the service and was not served by an earlier life.

    Activity belongs to the life it happened in: after a stop on purpose it is history, after a crash
    it is the reason to come back, unless another instance lived on and was stopped on purpose later.
    """
    stops = [one.outcome_at for one in seen.instances if one.outcome is Outcome.STOPPED]
    served_until = max((at for at in stops if at is not None), default=None)
    moments: list[float | None] = []
    for instance in seen.instances:
        ended_at = instance.outcome_at if instance.outcome is Outcome.STOPPED else None
        if served_until is not None and _is_history(instance, served_until):
            ended_at = served_until
        else:
            moments += _lived(seen, instance)
        asked = (seen.asked.last_at, due.its_hour(service, now))
        moments += [at for at in asked if at is not None and (ended_at is None or at > ended_at)]
    known = [moment for moment in moments if moment is not None]
    return max(known) if known else None


def _is_history(instance: Instance, served_until: float) -> bool:
    """Whether nothing of it is there, or was, after another one ended on purpose."""
    if instance.condition is not Condition.ABSENT or instance.intent is not None:
        return False
    if instance.outcome in (Outcome.READY, Outcome.STOPPED):
        return False
    return instance.outcome_at is None or instance.outcome_at < served_until


def _lived(seen: Observation, instance: Instance) -> list[float | None]:
    """What happened in its life, as long as that is not over on purpose."""
    moments: list[float | None] = []
    gone_by_itself = instance.outcome in (Outcome.READY, Outcome.CRASHED)
    if instance.condition is not Condition.ABSENT or gone_by_itself:
        lived = [seen.traffic.last_activity, instance.ready_since]
        # Gone while nobody watched: whoever came meanwhile may still be waiting behind the open gate.
        unseen = instance.outcome is Outcome.CRASHED and lived == [None, None]
        moments += [instance.outcome_at] if unseen else lived
    if instance.condition is not Condition.ABSENT:
        moments.append(seen.needed_at)
    if instance.condition is Condition.RUNNING:
        moments.append(instance.seen_since)
    return moments
