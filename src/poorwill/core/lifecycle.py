"""The phases of a service and what to do in each: every rule about coming and going is in this file.

The phase is derived from facts at each look and never stored. For one instance:

    condition  open intent  gate           wanted   phase      what is done
    ---------  -----------  -------------  -------  ---------  -----------------------------------------
    unknown    any          any            any      unknown    nothing: it may be alive, and billed
    any        stop         any            any      stopping   absent: conclude; else call again in time
    absent     start        any            any      as below   the call is over and it settled: failed
    present    start        any            yes      waking     ready: conclude; too late: failed and stop
    present    start        any            no       stopping   stop
    absent     none         open           any      as below   close the gate; was ready: it crashed
    absent     none         closed         yes      waking     start; after failures: ``failed``, back off
    absent     none         closed         no       asleep     nothing; soon after a failure: ``failed``
    present    none         closed         yes      waking     ready: open the gate; too late: as above
    present    none         open           yes      awake      nothing (``waking`` while it only starts)
    present    none         open           no       draining   close the gate
    present    none         closed         no       draining   drained: stop
    stopping   none         any            any      stopping   somebody else stops it: close the gate
    foreign    none         closed         no       left       drained: nothing, it is not ours to stop

*Present* is starting or running; beside an open start or stop it is stopping as well. A gate that is
moving counts as open when something is to be stopped and as closed when something is to be let through. A
start waits until what the service needs (``needs``, its machine) is there. A job has no gate, and what
would be a crash of a service is for a job that it is done. *Foreign* is present, and Poorwill did not
start it: it comes and goes like all that is present, but is neither stopped nor too late.
"""

from __future__ import annotations

from math import inf

from poorwill.core import busy, due
from poorwill.core.action import Action, Adopt, CloseGate, Conclude, GiveUp, OpenGate, Start, Stop
from poorwill.core.door import GateState
from poorwill.core.hand import in_force
from poorwill.core.model import (
    Condition,
    Demand,
    Failures,
    Hand,
    HandKind,
    Instance,
    Intent,
    IntentKind,
    Now,
    Observation,
    Outcome,
    Phase,
    Service,
)
from poorwill.core.traffic import drained, silent_at
from poorwill.core.work import Hold

START_BACKOFF = (1.0, 300.0)
"""Seconds before the second start after a failure, and the longest wait; doubled in between."""

STOP_BACKOFF = (1.0, 60.0)
"""The same for a stop that failed. It is money, so it is asked more often."""

HANGING_AFTER = 5.0
"""Seconds for which a stop call may go on after its instance was seen to be gone."""

STABLE_AFTER = 60.0
"""Seconds an instance must have been ready before its crash counts as the first in a row again."""

Step = tuple[tuple[Action, ...], float | None]
"""Actions, and the moment (monotonic) at which time alone changes the answer."""

NOTHING: Step = ((), None)


def phase(service: Service, seen: Observation, demand: Demand, now: Now) -> Phase:
    """The phase of the service; the table is in the module's docstring."""
    instance = seen.instances[0]
    intent = instance.intent
    if instance.condition is Condition.UNKNOWN:
        return Phase.UNKNOWN
    if (intent and intent.kind is IntentKind.STOP) or instance.condition is Condition.STOPPING:
        return Phase.STOPPING
    if intent:
        return Phase.WAKING if demand.desired else Phase.STOPPING
    if instance.condition is Condition.ABSENT:
        failed = instance.failures.count > 0 and instance.outcome is not Outcome.READY
        if failed and (demand.desired or now.mono < retry_at(instance.failures, seen.hand)):
            return Phase.FAILED
        return Phase.WAKING if demand.desired else Phase.ASLEEP
    if not demand.desired:
        shut = seen.gate.state is GateState.CLOSED and instance.foreign
        return Phase.LEFT if shut and _may_stop(service, seen, now) else Phase.DRAINING
    awake = seen.gate.state is GateState.OPEN and instance.condition is Condition.RUNNING
    return Phase.AWAKE if awake else Phase.WAKING


def steps(service: Service, seen: Observation, demand: Demand, now: Now) -> Step:
    """What to do with the service's instance and its gate."""
    instance = seen.instances[0]
    if instance.condition is Condition.UNKNOWN:
        return NOTHING
    if instance.intent and instance.intent.kind is IntentKind.STOP:
        return _stopping(service, instance, instance.intent, demand, now)
    if instance.intent:
        return _starting(service, seen, instance, instance.intent, demand, now)
    if instance.condition is Condition.ABSENT:
        return _absent(service, seen, instance, demand, now)
    if instance.condition is Condition.STOPPING:
        return (CloseGate(),) if seen.gate.state is GateState.OPEN else (), None
    if instance.foreign and service.adopt:
        return (Adopt(instance.id, "its configuration says adopt: true"),), None
    return _running(service, seen, instance, demand, now)


def retry_at(failures: Failures, hand: Hand | None) -> float:
    """When the next start may be tried; a person's ``wake`` after the failure may try at once."""
    if hand is not None and hand.kind is HandKind.WAKE and hand.at > failures.last_at:
        return hand.at
    if failures.delay is not None:
        return failures.last_at + failures.delay
    return failures.last_at + _backoff(START_BACKOFF, failures.count)


def concluded(
    before: Outcome | None, failures: Failures, conclusion: Conclude, at: float, ready_since: float | None
) -> tuple[Outcome, Failures]:
    """What a conclusion makes of the last outcome and of the failures in a row.

    The stop that clears away a failed start is no good end: the failure stays the last word. A crash
    after ``STABLE_AFTER`` seconds of readiness begins a new row. A job that is done has not failed, whatever
    its exit code says: the start did what it should.
    """
    outcome = conclusion.outcome
    if outcome is Outcome.READY:
        return outcome, failures
    if outcome is Outcome.DONE:
        return outcome, Failures()
    if outcome is Outcome.STOPPED:
        return (Outcome.FAILED, failures) if before is Outcome.FAILED else (outcome, Failures())
    lasted = outcome is Outcome.CRASHED and ready_since is not None and at - ready_since >= STABLE_AFTER
    return outcome, Failures(1 if lasted else failures.count + 1, at, conclusion.reason, conclusion.delay)


def _backoff(bounds: tuple[float, float], attempts: int) -> float:
    first, longest = bounds
    return min(longest, first * 2.0 ** min(max(attempts - 1, 0), 30))


def _stopping(service: Service, instance: Instance, intent: Intent, demand: Demand, now: Now) -> Step:
    if intent.calling:
        return _while_called(instance, intent, now)
    if instance.condition is Condition.ABSENT or instance.foreign:  # foreign: a later life than that one
        return (Conclude(instance.id, Outcome.STOPPED),), None
    if intent.returned_at is None:  # a restart forgot whether the call was made: stops are idempotent
        return (Stop(instance.id, intent.reason),), None
    pause = _backoff(STOP_BACKOFF, intent.attempts)
    due = intent.returned_at + (pause if intent.error else max(pause, service.settle))
    return ((Stop(instance.id, intent.reason),), None) if now.mono >= due else ((), due)


def _while_called(instance: Instance, intent: Intent, now: Now) -> Step:
    """A stop call that hangs although there is nothing left to stop must not hold up the next wake."""
    if intent.returned_at is not None:
        return NOTHING
    if instance.foreign:  # it would be stopped in the place of the one that is gone
        return (GiveUp(instance.id),), None
    if instance.condition is not Condition.ABSENT or instance.seen_since is None:
        return NOTHING
    patience = max(instance.seen_since, intent.at) + HANGING_AFTER
    return ((GiveUp(instance.id),), None) if now.mono >= patience else ((), patience)


def _starting(
    service: Service, seen: Observation, instance: Instance, intent: Intent, demand: Demand, now: Now
) -> Step:
    if intent.calling:
        return NOTHING
    if seen.gate.state is not GateState.CLOSED:  # left open by an earlier life that crashed
        return (CloseGate(),) if seen.gate.state is GateState.OPEN else (), None
    if instance.condition is Condition.ABSENT:
        if intent.returned_at is None:  # a restart forgot whether the call was made
            settled = (instance.seen_since or intent.at) + service.settle
            if now.mono < settled:
                return (), settled
            again: Action = Start(instance.id, intent.reason, instance.due)
            return (again if demand.desired else Conclude(instance.id, Outcome.STOPPED),), None
        settled = intent.returned_at + (0.0 if intent.permanent else service.settle)
        if now.mono < settled:
            return (), settled
        if service.job and not intent.error and instance.exit_code is not None:  # done before anybody looked
            return (_ended(service, instance),), None
        why = intent.error or instance.detail or "the instance was not there after its start"
        return (Conclude(instance.id, Outcome.FAILED, why, intent.delay),), None
    if not demand.desired:
        return _when_free(service, seen, (Stop(instance.id, demand.reason),), intent.at, now)
    if instance.ready:
        return (Conclude(instance.id, Outcome.READY),), None
    return _until_ready(service, seen, instance, intent.at, now, shut_at=intent.at)


def _until_ready(
    service: Service, seen: Observation, instance: Instance, since: float, now: Now, *, shut_at: float
) -> Step:
    deadline = since + service.start_timeout
    if now.mono < deadline:
        return (), deadline
    why = f"not ready within {service.start_timeout:g} s"
    if instance.probe_error:
        why += f": {instance.probe_error}"
    failed = (Conclude(instance.id, Outcome.FAILED, why), Stop(instance.id, why))
    return _when_free(service, seen, failed, shut_at, now)


def _when_free(
    service: Service, seen: Observation, actions: tuple[Action, ...], shut_at: float, now: Now
) -> Step:
    """Do it to an instance that is not ready, unless it may work on what was let in.

    Nothing was, when the gate has been closed since ``shut_at``; else the next readings tell.
    """
    works = seen.traffic.active or seen.traffic.busy or seen.gate.since > shut_at
    return (actions, None) if not works or _may_stop(service, seen, now) else NOTHING


def _may_stop(service: Service, seen: Observation, now: Now) -> bool:
    """Whether a stop cuts nothing, or a person wants it to."""
    return forced(seen, now) or drained(seen.traffic, seen.gate.since, service.drain, service.idle_after)


def before_stop(service: Service, seen: Observation, now: Now) -> Hold:
    """What a busy probe makes of a stop that nothing else is in the way of."""
    stopping = seen.gate.state is GateState.CLOSED and _may_stop(service, seen, now)
    if not stopping or forced(seen, now):
        return busy.LETS_GO
    return busy.hold(service, seen, now, seen.gate.since, stopping=True)


def forced(seen: Observation, now: Now) -> bool:
    """Whether a person wants it asleep at once, and open work cut."""
    hand = in_force(seen, now)
    return hand is not None and hand.kind is HandKind.SLEEP and hand.force


def _absent(service: Service, seen: Observation, instance: Instance, demand: Demand, now: Now) -> Step:
    actions: list[Action] = []
    if seen.gate.state is GateState.OPEN:
        actions.append(CloseGate())
    if instance.outcome is Outcome.READY:
        actions.append(_ended(service, instance))
        return tuple(actions), None
    later = retry_at(instance.failures, seen.hand) if instance.failures.count else now.mono
    if now.mono < later:
        return tuple(actions), later
    if demand.desired and not seen.missing:
        actions.append(Start(instance.id, demand.reason, due.due_at(service, seen, now)))
    return tuple(actions), None


def _ended(service: Service, instance: Instance) -> Conclude:
    """A life that ended by itself: for a job that is what it is meant to do."""
    why = instance.detail or "it vanished"
    if service.job:
        return Conclude(instance.id, Outcome.DONE, why, exit_code=instance.exit_code)
    return Conclude(instance.id, Outcome.CRASHED, why)


def _running(service: Service, seen: Observation, instance: Instance, demand: Demand, now: Now) -> Step:
    gate = seen.gate
    if gate.state is GateState.MOVING and not forced(seen, now):
        return NOTHING
    if demand.desired:
        if gate.state is GateState.OPEN:
            return NOTHING
        if instance.ready:
            return (OpenGate(),), None
        if instance.foreign:
            return NOTHING
        since = now.mono if instance.seen_since is None else instance.seen_since
        return _until_ready(service, seen, instance, since, now, shut_at=-inf)
    if gate.state is GateState.OPEN:
        return (CloseGate(),), None
    if _may_stop(service, seen, now):
        # Forced, it does not wait for Envoy; but a gate that moves may be one that opens.
        first = (CloseGate(),) if gate.state is GateState.MOVING else ()
        if instance.foreign:
            return first, None
        if before_stop(service, seen, now).why:
            return NOTHING
        return (*first, Stop(instance.id, demand.reason)), None
    deadline = silent_at(seen.traffic, gate.since, service.drain, service.idle_after)
    return (), deadline if deadline > now.mono else None
