"""One instance as far as anybody knows: what was last seen of it, what was asked of it, whose it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from poorwill.core.model import Condition, Failures, Intent, Outcome
from poorwill.providers.base import Sighting


@dataclass(frozen=True, slots=True)
class Noted:
    """What the journal was last told of whether it is there.

    ``life`` is the one that is, None when none is; ``gone`` the last one that ended. ``known_at`` is when a
    look last showed the same (monotonic), None when none ever did; ``remembered`` says that this look was an
    earlier control plane's. ``offset`` is by how much the wall clock was ahead of the monotonic one.
    """

    life: str | None = None
    gone: str = ""
    known_at: float | None = None
    remembered: bool = False
    offset: float | None = None


@dataclass(slots=True)
class Place:
    """One instance, or the empty place for one.

    ``due`` is the hour of the run that a job was last started for (seconds since the epoch). ``asked_at`` is
    when the last start was first wanted (monotonic): before its call when it had to wait for others.

    ``ours`` says that Poorwill started it once or was asked to adopt it, ``ended`` which of its lives was the
    last one of ours when that is over or being ended; None as long as it goes on. ``life`` is the last that
    was seen, ``lent`` says that this one was somebody else's, ``gone_at`` when a stop of ours was last seen
    to be done (monotonic). ``noted`` is what the ledger knows of it.
    """

    id: str
    sighting: Sighting | None = None
    seen_since: float | None = None
    intent: Intent | None = None
    outcome: Outcome | None = None
    outcome_at: float | None = None
    ready_life: str | None = None
    ready_since: float | None = None
    probe_error: str = ""
    failures: Failures = field(default_factory=Failures)
    due: float | None = None
    asked_at: float | None = None
    ours: bool = False
    ended: str | None = None
    life: str = ""
    lent: bool = False
    gone_at: float | None = None
    noted: Noted = field(default_factory=Noted)

    @property
    def foreign(self) -> bool:
        """Whether it is there without having been started by Poorwill, as far as anybody can tell."""
        if self.sighting is None or self.condition is Condition.ABSENT or self.sighting.by_us:
            return False
        if not self.ours:
            return True
        if self.ended is None:
            return False
        if self.sighting.resumed:
            return self.lent
        if not self.sighting.life:  # nobody can tell one life from the next
            return self.intent is None
        return self.sighting.life != self.ended

    @property
    def condition(self) -> Condition:
        return self.sighting.condition if self.sighting else Condition.ABSENT

    @property
    def runs(self) -> bool:
        return self.condition is Condition.RUNNING

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
