"""What is known about one service between two looks. Written by observers and the applier only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from poorwill.config import ServiceAddress
from poorwill.control.front import Front
from poorwill.control.probe import Probe
from poorwill.core.history import WINDOW
from poorwill.core.lifecycle import concluded
from poorwill.core.model import (
    Conclude,
    Condition,
    Decision,
    Failures,
    Hand,
    Instance,
    Intent,
    IntentKind,
    Observation,
    Outcome,
    Phase,
    Service,
)
from poorwill.providers.base import Handle, Provider, Sighting

AT_REST = (Phase.ASLEEP, Phase.FAILED)
"""Phases in which nothing of a service runs."""


@dataclass(slots=True)
class Place:
    """One instance, or the empty place for one."""

    id: str
    sighting: Sighting | None = None
    seen_since: float | None = None
    intent: Intent | None = None
    outcome: Outcome | None = None
    outcome_at: float | None = None
    ready_life: str | None = None
    ready_since: float | None = None
    probe_error: str = ""

    @property
    def condition(self) -> Condition:
        return self.sighting.condition if self.sighting else Condition.ABSENT

    def lives(self, life: str) -> bool:
        """Whether it runs, and still in this life."""
        seen = self.sighting
        return seen is not None and seen.condition is Condition.RUNNING and seen.life == life

    @property
    def ready(self) -> bool:
        return (
            self.ready_life is not None
            and self.sighting is not None
            and self.ready_life == self.sighting.life
        )


@dataclass(frozen=True, slots=True)
class Successor:
    """Where and how the service runs from its next wake on. ``remember`` writes that down when it holds."""

    provider: Provider
    probe: Probe
    address: ServiceAddress | None
    remember: Callable[[], None]


@dataclass(slots=True)
class Facts:
    """Everything about one service that is not kept by the gateway.

    ``handles`` is what the provider has to adopt before its first look; None when that is done.
    ``looked_at`` is when the last successful look at the provider *began* (monotonic), ``watched_since``
    since when such looks have come without a break that made the facts unknown. ``retired`` says
    that the service is no longer in the configuration: it is put to sleep and then forgotten. ``closed_to``
    names why visitors are refused when it was not a person who said ``sleep``.
    """

    rules: Service
    provider: Provider
    probe: Probe
    places: dict[str, Place]
    address: ServiceAddress | None = None
    handles: Mapping[str, Handle] | None = None
    hand: Hand | None = None
    failures: Failures = field(default_factory=Failures)
    failure_hint: str = ""
    wakes: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    looked_at: float | None = None
    watched_since: float = 0.0
    look_error: str = ""
    successor: Successor | None = None
    retired: bool = False
    closed_to: str = ""
    waking_since: float | None = None
    decision: Decision | None = None
    decided_since: float = 0.0

    @property
    def name(self) -> str:
        return self.rules.name

    @property
    def phase(self) -> Phase:
        return self.decision.phase if self.decision else Phase.UNKNOWN

    @property
    def at_rest(self) -> bool:
        """Whether nothing of it runs and nothing is wanted to."""
        return self.phase in AT_REST and not (self.decision and self.decision.desired)

    def saw(self, sightings: list[Sighting], begun_at: float) -> None:
        """Take in a successful look that began at ``begun_at``."""
        if self.looked_at is None or begun_at - self.looked_at > self.provider.stale_after:
            self.watched_since = begun_at
        self.looked_at, self.look_error = begun_at, ""
        by_id = {sighting.instance: sighting for sighting in sightings}
        for place in self.places.values():
            sighting = by_id.get(place.id, Sighting(place.id, Condition.ABSENT))
            before = place.sighting
            if before is None or (before.condition, before.life) != (sighting.condition, sighting.life):
                place.seen_since = begun_at
            if before is not None and before.life != sighting.life:
                place.ready_life, place.ready_since, place.probe_error = None, None, ""
            place.sighting = sighting

    def succeed(self) -> None:
        """Run in the new place from now on."""
        if self.successor is not None:
            self.successor.remember()
            self.provider, self.probe = self.successor.provider, self.successor.probe
            self.address, self.successor = self.successor.address, None

    def conclude(self, conclusion: Conclude, at: float) -> None:
        """Close the open intent, or the life, of an instance."""
        place = self.places[conclusion.instance]
        ready_since = place.outcome_at if place.outcome is Outcome.READY else None
        place.outcome, self.failures = concluded(place.outcome, self.failures, conclusion, at, ready_since)
        # Who asked while the instance was being stopped asked for the next life of it.
        stop = place.intent if conclusion.outcome is Outcome.STOPPED else None
        place.outcome_at = stop.at if stop else at
        place.intent = None


def observe(facts: Facts, front: Front, now: float) -> Observation:
    """The service at this moment, with facts grown too old turned into ``unknown``."""
    return Observation(
        instances=tuple(_instance(facts, place, now) for place in facts.places.values()),
        gate=front.gate(facts.name),
        traffic=front.traffic(facts.name),
        asked=front.asked(facts.name),
        hand=facts.hand,
        failures=facts.failures,
    )


def _instance(facts: Facts, place: Place, now: float) -> Instance:
    condition, detail = place.condition, place.sighting.detail if place.sighting else ""
    if facts.looked_at is None:
        condition, detail = Condition.UNKNOWN, facts.look_error or "not looked at yet"
    elif now - facts.looked_at > facts.provider.stale_after:
        condition, detail = (
            Condition.UNKNOWN,
            facts.look_error or "the provider has not answered for too long",
        )
    intent = place.intent
    if intent and (facts.looked_at or 0.0) < _telling(facts, place, intent):
        intent = replace(intent, calling=True)
    if intent and intent.at < facts.watched_since:
        intent = replace(intent, at=facts.watched_since)  # a start is not late because nobody could look
    return Instance(
        id=place.id,
        condition=condition,
        intent=intent,
        ready=place.ready,
        ready_since=place.ready_since if place.ready else None,
        seen_since=place.seen_since if condition is place.condition else None,
        detail=detail,
        probe_error=place.probe_error,
        outcome=place.outcome,
        outcome_at=place.outcome_at,
    )


def _telling(facts: Facts, place: Place, intent: Intent) -> float:
    """When a look has to begin to tell what came of a call; what contradicts it had time to settle first."""
    absent = place.condition is Condition.ABSENT
    if intent.kind is IntentKind.START:
        # A restart forgot when the call returned; it may have been under way until this life began to look.
        over = intent.returned_at if intent.returned_at is not None else place.seen_since or 0.0
        return over + (facts.rules.settle if absent and not intent.permanent else 0.0)
    if intent.returned_at is None:
        return 0.0
    return intent.returned_at + (0.0 if absent or intent.error else facts.rules.settle)
