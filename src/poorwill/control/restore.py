"""What the journal remembers of a service, brought into this life of the control plane."""

from __future__ import annotations

from collections import deque

from poorwill.control.facts import Owing
from poorwill.control.place import Noted, Place
from poorwill.core.allowance import Woken
from poorwill.core.history import WINDOW
from poorwill.core.model import Failures, Hand, HandKind, Intent, IntentKind, Now, Outcome, Phase, Plan
from poorwill.core.owed import Cause
from poorwill.providers.base import Handle
from poorwill.store.journal import Event, Kind, Restored, RestoredInstance

_OUTCOMES = {
    Kind.READY: Outcome.READY,
    Kind.STOPPED: Outcome.STOPPED,
    Kind.FAILED: Outcome.FAILED,
    Kind.CRASHED: Outcome.CRASHED,
    Kind.DONE: Outcome.DONE,
    Kind.ADOPT: Outcome.READY,
}


def moment(event: Event, now: Now) -> float:
    """When the event was, on this boot's monotonic clock; never in the future, whatever the clocks did."""
    if event.boot == now.boot:
        return min(event.mono, now.mono)
    return now.mono - max(0.0, now.wall - event.at)


def places(service: str, most: int, restored: Restored, now: Now) -> dict[str, Place]:
    """A place for each of at most ``most`` instances, and for those of which there is something to know."""
    names = [f"{service}-{number}" for number in range(1, most + 1)]
    names += [name for name in restored.instances if name not in names]
    known = {name: place(name, restored.instances.get(name, RestoredInstance()), now) for name in names}
    for one in known.values():
        one.noted = noted(restored.instances.get(one.id, RestoredInstance()), restored, now)
    if restored.failure is not None:
        failed = known.get(restored.failure.instance) or next(iter(known.values()))
        failed.failures = failures(restored, now)
    return known


def place(instance: str, restored: RestoredInstance, now: Now) -> Place:
    outcome = restored.outcome
    return Place(
        id=instance,
        intent=_intent(restored, now),
        outcome=_OUTCOMES[outcome.kind] if outcome else None,
        outcome_at=moment(outcome, now) if outcome else None,
        due=restored.due,
        ours=restored.ours,
        ended=restored.ended,
    )


def noted(instance: RestoredInstance, restored: Restored, now: Now) -> Noted:
    """What the journal says of whether it is there, and until when somebody knew that."""
    there, gone, phase = instance.there, instance.gone, restored.last_phase
    told = there or gone
    said = phase.detail.get("phase") if phase else None
    watched = told is not None or said in (Phase.ASLEEP, Phase.FAILED)  # else it may have run all the time
    return Noted(
        life=str(there.detail.get("life") or "") if there else None,
        gone=str(gone.detail.get("life") or "") if gone else "",
        known_at=_known_at(restored, now) if watched else None,
        remembered=True,
        offset=told.at - told.mono if told and told.boot == now.boot else None,
    )


def _known_at(restored: Restored, now: Now) -> float | None:
    """Until when what was seen last held: until the last line of the journal, unless that was not known."""
    phase = restored.last_phase
    if phase is not None and phase.detail.get("phase") == Phase.UNKNOWN:
        known = phase.detail.get("known")
        if known is not None:
            return moment(phase, now) - (phase.at - float(known))
        return moment(restored.lost, now) if restored.lost else None
    return moment(restored.last, now) if restored.last else None


def handles(restored: Restored) -> dict[str, Handle]:
    """What the providers gave when they started the instances."""
    return {
        name: Handle(name, instance.handle)
        for name, instance in restored.instances.items()
        if instance.handle is not None
    }


def hand(event: Event | None, now: Now) -> Hand | None:
    """A person's last demand, unless it was given back or has run out."""
    if event is None or event.kind is Kind.AUTO:
        return None
    until, until_wall = event.detail.get("until"), event.detail.get("until_wall")
    if any(end is not None and end <= now.wall for end in (until, until_wall)):
        return None
    return Hand(
        kind=HandKind.WAKE if event.kind is Kind.WAKE else HandKind.SLEEP,
        at=moment(event, now),
        until=None if until is None else now.mono + (until - now.wall),
        by=event.reason or "by hand",
        until_wall=until_wall,
    )


def plans(restored: Restored, now: Now) -> tuple[Plan, ...]:
    """What a person planned for hours that are not over."""
    rows = restored.plans.detail.get("plans", []) if restored.plans else []
    known = (Plan(HandKind(row["kind"]), row["start"], row["stop"], row["by"]) for row in rows)
    return tuple(plan for plan in known if plan.stop > now.wall)


def last_run(restored: Restored, now: Now) -> float:
    """The hour of a job's last run that is settled; what was due before the job was known is."""
    settled = restored.run.detail.get("last_run") if restored.run else None
    return float(settled) if settled is not None else restored.first.at if restored.first else now.wall


def owing(restored: Restored, now: Now) -> Owing | None:
    """The debt that was open; it is not told a second time."""
    event = restored.debt
    if event is None:
        return None
    since = now.mono - max(0.0, now.wall - event.detail["since"])
    return Owing(
        Cause(event.detail["cause"]), since, event.reason, told=restored.told, instance=event.instance
    )


def failures(restored: Restored, now: Now) -> Failures:
    if restored.failure is None:
        return Failures()
    failure = restored.failure
    return Failures(restored.streak, moment(failure, now), failure.reason, failure.detail.get("delay"))


def woken(restored: Restored) -> tuple[Woken, ...]:
    """When requests woke it, oldest first."""
    return tuple(Woken(event.at, str(event.detail.get("client", ""))) for event in restored.woken)


def wakes(restored: Restored) -> deque[float]:
    return deque(restored.wakes, maxlen=WINDOW)


def _intent(restored: RestoredInstance, now: Now) -> Intent | None:
    event = restored.intent
    if event is None:
        return None
    returned = restored.started if event.kind is Kind.START else None
    return Intent(
        kind=IntentKind.START if event.kind is Kind.START else IntentKind.STOP,
        at=moment(event, now),
        reason=event.reason,
        attempts=1,
        written=True,
        returned_at=moment(returned, now) if returned else None,
    )
