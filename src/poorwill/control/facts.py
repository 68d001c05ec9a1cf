"""What is known about one service between two looks. Written by observers and the applier only."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from poorwill.config import ServiceAddress
from poorwill.control.busy_probe import BusyProbe
from poorwill.control.place import Place
from poorwill.control.probe import Probe
from poorwill.control.seat import Seat
from poorwill.core.action import Conclude, Decision
from poorwill.core.allowance import Allowance, Woken
from poorwill.core.budget import Budget, Standing
from poorwill.core.history import WINDOW
from poorwill.core.lifecycle import concluded
from poorwill.core.model import Condition, Failures, Hand, Outcome, Phase, Plan, Service, newest_failures
from poorwill.core.owed import Cause
from poorwill.core.scale import Scale
from poorwill.core.share import Verdict
from poorwill.core.work import Work
from poorwill.providers.base import Handle, Provider, Sighting
from poorwill.store.journal import Entry, Kind

Ask = Callable[[Callable[[str], None]], Awaitable[None]]
"""Returns when an instance can be used; tells why not yet after each try."""


class Way(Protocol):
    """A tunnel to where a service answers. ``lost`` says that it ended and was not opened again."""

    lost: bool

    async def open(self) -> tuple[str, int]: ...

    async def close(self) -> None: ...

    async def leave(self) -> None: ...


class Tenancy(StrEnum):
    """What the control room has charge of: something visitors reach, something that runs until it is done,
    or what others run on.
    """

    SERVICE = "service"
    JOB = "job"
    MACHINE = "machine"


AT_REST = (Phase.ASLEEP, Phase.FAILED, Phase.LEFT)
"""Phases in which nothing of a service runs that is Poorwill's to stop."""


@dataclass(frozen=True, slots=True)
class Owing:
    """A debt that stands open and is written down; ``since`` is monotonic. ``told`` says that a person was
    told of it.
    """

    cause: Cause
    since: float
    reason: str
    told: bool = False
    instance: str = ""

    @property
    def counts(self) -> bool:
        """Whether something is known to be there. What nobody can see may as well be off."""
        return self.cause is not Cause.UNKNOWN


@dataclass(frozen=True, slots=True)
class Successor:
    """Where and how the service runs from its next wake on. ``remember`` writes that down when it holds."""

    provider: Provider
    probe: Probe | Ask | None
    address: ServiceAddress | None
    remember: Callable[[], None]
    machine: str = ""
    tunnel: Way | None = None
    busy: BusyProbe | None = None
    seat: Seat | None = None


@dataclass(slots=True)
class Facts:
    """Everything about one service that is not kept by the gateway.

    ``handles`` is what the provider has to adopt before its first look; None when that is done.
    ``looked_at`` is when the last successful look at the provider *began* (monotonic), ``watched_since``
    since when such looks have come without a break that made the facts unknown. ``let_be`` says that what
    others started here is theirs, ``owing`` is what may cost money for nothing. ``retired`` says
    that the service is no longer in the configuration: it is put to sleep and then forgotten. ``closed_to``
    names why visitors are refused when it was not a person who said ``sleep``.

    ``probe`` is what shows that an instance answers; None takes one that runs for ready. ``machine`` is what
    it runs on and ``needs`` what has to be awake before it, by name. ``needed_at`` is when something last
    needed it (monotonic), ``missing_since`` since when a start waits for what it needs. ``last_run`` is the
    hour of a job's last run that is settled, ``watched_from`` when this control plane took charge (both in
    seconds since the epoch). ``has_door`` says that visitors reach it through the gateway. ``told`` is the
    last decision that was written down: not those made before the first look came back. ``busy`` sees work
    that no request shows, ``work`` is what it says now and ``busy_said`` its last words; ``overruled`` is
    what was last written down of its say being over. ``woken`` is when requests woke it, as far as that is
    limited. ``seat`` is its place on GPUs that others may share, ``verdict`` what was last decided about it.
    ``scale`` is how many instances were wanted last, and since when. ``standings`` is how all budgets stand,
    as far as that is known.
    """

    rules: Service
    provider: Provider
    probe: Probe | Ask | None
    places: dict[str, Place]
    address: ServiceAddress | None = None
    handles: Mapping[str, Handle] | None = None
    hand: Hand | None = None
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
    told: Decision | None = None
    decided_since: float = 0.0
    tenancy: Tenancy = Tenancy.SERVICE
    has_door: bool = True
    zone: str = "UTC"
    tunnel: Way | None = None
    tunnel_closed: bool = False
    machine: str = ""
    needs: tuple[str, ...] = ()
    needed_by: tuple[str, ...] = ()
    needed_at: float | None = None
    missing_since: float | None = None
    plans: tuple[Plan, ...] = ()
    last_run: float | None = None
    watched_from: float = 0.0
    busy: BusyProbe | None = None
    work: Work = field(default_factory=Work)
    busy_said: str = ""
    overruled: str = ""
    owing: Owing | None = None
    let_be: bool = True
    woken: tuple[Woken, ...] = ()
    scale: Scale | None = None
    seat: Seat | None = None
    verdict: Verdict | None = None
    standings: Mapping[Budget, Standing] = field(default_factory=dict)

    @property
    def failures(self) -> Failures:
        """The newest failures in a row of an instance."""
        return newest_failures(place.failures for place in self.places.values())

    @property
    def allowance(self) -> Allowance:
        """What requests may do, and what they have done of it."""
        return Allowance(self.rules.max_wakes, self.rules.max_wakes_per_client, self.woken)

    @property
    def name(self) -> str:
        return self.rules.name

    @property
    def phase(self) -> Phase:
        return self.decision.phase if self.decision else Phase.UNKNOWN

    @property
    def there(self) -> bool:
        """Whether something of it may be there, or is about to."""
        return any(place.intent or place.condition is not Condition.ABSENT for place in self.places.values())

    @property
    def unlooked(self) -> bool:
        """Whether the first look at the provider is still under way."""
        return self.looked_at is None and not self.look_error

    @property
    def foreign(self) -> bool:
        """Whether it runs, was not started by Poorwill, and is let alone."""
        return self.let_be and any(place.foreign for place in self.places.values())

    @property
    def bounds(self) -> tuple[Standing, ...]:
        """How the budgets that bind it stand, as far as that is known."""
        return tuple(self.standings[one] for one in self.rules.budgets if one in self.standings)

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
        for sighting in sightings:
            ours = sighting.instance.startswith(f"{self.name}-")
            if ours and sighting.condition is not Condition.ABSENT:  # more of them than there may be now
                self.places.setdefault(sighting.instance, Place(sighting.instance))
        for place in self.places.values():
            sighting = by_id.get(place.id, Sighting(place.id, Condition.ABSENT))
            before = place.sighting
            if before is None or (before.condition, before.life) != (sighting.condition, sighting.life):
                place.seen_since = begun_at
            if before is not None and before.life != sighting.life:
                place.ready_life, place.ready_since, place.probe_error = None, None, ""
            place.sighting = sighting
            if sighting.condition is not Condition.ABSENT or not place.life:
                place.life = sighting.life
            if sighting.condition is not Condition.ABSENT:
                place.lent = place.foreign

    def is_needed_by(self, names: tuple[str, ...], at: float) -> None:
        """``at`` counts as a moment of need also when it is the first one without."""
        if names or self.needed_by:
            self.needed_at = at
        self.needed_by = names

    def make_room(self) -> None:
        """A place for each instance that there may be."""
        for number in range(1, self.rules.most + 1):
            name = f"{self.name}-{number}"
            self.places.setdefault(name, Place(name))

    def succeed(self) -> None:
        """Run in the new place from now on."""
        if self.successor is not None:
            self.successor.remember()
            self.provider, self.probe = self.successor.provider, self.successor.probe
            self.address, self.machine = self.successor.address, self.successor.machine
            self.tunnel, self.busy = self.successor.tunnel, self.successor.busy
            self.seat = self.successor.seat
            self.successor = None

    def adoption(self, instance: str, reason: str) -> Entry:
        """What the journal has to know before ``adopt``."""
        return Entry(Kind.ADOPT, self.name, instance, reason, {"life": self.places[instance].life})

    def adopt(self, instance: str, at: float) -> None:
        """What runs there counts as started by Poorwill."""
        place = self.places[instance]
        place.ours, place.ended, place.lent = True, None, False
        place.outcome, place.outcome_at = Outcome.READY, at

    def conclude(self, conclusion: Conclude, at: float) -> None:
        """Close the open intent, or the life, of an instance."""
        place = self.places[conclusion.instance]
        ready_since = place.outcome_at if place.outcome is Outcome.READY else None
        place.outcome, place.failures = concluded(place.outcome, place.failures, conclusion, at, ready_since)
        # Who asked while the instance was being stopped asked for the next life of it.
        stop = place.intent if conclusion.outcome is Outcome.STOPPED else None
        place.outcome_at = stop.at if stop else at
        place.intent = None
        if conclusion.outcome in (Outcome.STOPPED, Outcome.CRASHED, Outcome.DONE):
            place.ended = place.life if place.ended is None else place.ended
        if conclusion.outcome is Outcome.STOPPED:
            place.gone_at = at
        if conclusion.outcome is Outcome.DONE and place.due is not None:
            self.last_run = max(place.due, self.last_run or 0.0)
