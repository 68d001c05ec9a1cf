"""The one brain: facts and a time in, a decision out. It runs live and in replay."""

from __future__ import annotations

from poorwill.core import busy, debt, demand, due, fleet
from poorwill.core.action import Decision
from poorwill.core.model import Condition, Demand, Now, Observation, Outcome, Phase, Service
from poorwill.core.work import Hold


def decide(service: Service, seen: Observation, now: Now) -> Decision:
    """What to do about a service now. Pure: the same arguments give the same decision."""
    wish = demand.wanted(service, seen, now)
    phases = fleet.phases(service, seen, wish, now)
    phase = fleet.phase(phases)
    actions, look_again_at = fleet.steps(service, seen, wish, now)
    skip = due.skipped(service, seen, now)
    hold = _hold(service, seen, wish, now)
    owed = debt.owed(seen, wish, now)
    owing = (owed.alert_at if owed else None, debt.slow_at(seen, now))
    times = (wish.until, look_again_at, hold.until, hold.ask_at, *owing)
    moments = [at for at in times if at is not None and at > now.mono]
    return Decision(
        phase=phase,
        desired=wish.desired,
        reason=_reason(phase, fleet.telling(seen, phases), wish, hold),
        actions=actions if skip is None else (skip, *actions),
        look_again_at=min(moments) if moments else None,
        rule=wish.rule,
        entrance=wish.entrance,
        hold=hold,
        debt=owed,
        phases=phases,
        scaled=wish.scaled,
    )


def _hold(service: Service, seen: Observation, wish: Demand, now: Now) -> Hold:
    """What a busy probe makes of the sleep, where it matters; what it says in vain is told all the same."""
    since = demand.idle_since(service, seen, now)
    if wish.rule == "busy":
        return busy.hold(service, seen, now, since)
    held = fleet.before_stop(service, seen, wish, now)
    if wish.desired or held.why:
        return held
    said = busy.hold(service, seen, now, since)
    return Hold(until=held.until or said.until, overruled=said.overruled)


def _reason(phase: Phase, seen: Observation, wish: Demand, hold: Hold) -> str:
    instance = seen.instances[0]
    if phase is Phase.UNKNOWN:
        return debt.unknown(instance)
    if phase is Phase.FAILED:
        what = "it crashed" if instance.outcome is Outcome.CRASHED else "the last start failed"
        return f"{what}: {seen.instances[0].failures.reason}"
    if phase is Phase.WAKING and seen.missing and instance.condition is Condition.ABSENT:
        return f"{wish.reason}; {seen.missing}"
    if phase is Phase.LEFT:
        return f"{wish.reason}; {demand.LEFT_ALONE}"
    if phase is Phase.STOPPING and instance.intent is not None:
        if instance.intent.error:
            return f"the stop failed and is tried again: {instance.intent.error}"
        return instance.intent.reason or wish.reason
    if phase is Phase.DRAINING and (hold.why or hold.overruled):
        return f"{wish.reason}; {hold.why or hold.overruled}"
    return wish.reason
