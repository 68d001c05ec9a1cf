"""What a review of a month is made from: everything in it was written down or is in the configuration."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from poorwill.advisor.suggest_gpu import Card
from poorwill.core.bill import Line
from poorwill.core.life import Life
from poorwill.core.model import Service
from poorwill.core.period import Period
from poorwill.core.stretch import Stretch
from poorwill.core.terms import Terms
from poorwill.store.event import Event, Kind

KINDS = (Kind.READY, Kind.WOKEN, Kind.STOP, Kind.FAILED, Kind.CRASHED, Kind.DEBT, Kind.SETTLED)
"""The events that are looked at."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is paid beside instances, such as a disk: ``amount`` in this month, ``budget`` for it."""

    name: str
    amount: Decimal
    currency: str
    budget: Decimal | None = None
    service: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """A budget of a month. ``service`` is empty for everything together, ``currency`` for one in hours.
    ``rates`` is what one of another currency is worth in it.
    """

    service: str
    limit: Decimal
    currency: str = ""
    rates: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Savings:
    """What it would have cost to leave everything of this currency on all the time, and what that saved."""

    amount: Decimal
    always: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Record:
    """``known_from`` is from when Poorwill was there, ``use_from`` from when it is recorded when services
    are used; None: it is not. ``lines`` and ``saved`` are those of ``period`` up to ``now``, ``before`` those
    of the month before. ``events`` are of KINDS, and of lives that began before the month when they were
    READY. ``services`` are the rules of those that visitors come to; those in ``needed`` are kept awake by
    other services, too.
    """

    period: Period
    now: float
    known_from: float
    use_from: float | None
    lives: Sequence[Life] = ()
    stretches: Sequence[Stretch] = ()
    terms: Sequence[Terms] = ()
    events: Sequence[Event] = ()
    lines: Sequence[Line] = ()
    before: Sequence[Line] = ()
    saved: Sequence[Savings] = ()
    services: Mapping[str, Service] = field(default_factory=dict)
    needed: Collection[str] = ()
    items: Sequence[Item] = ()
    limits: Sequence[Limit] = ()
    cards: Sequence[Card] = ()

    @property
    def since(self) -> float:
        """From when on anything can be said."""
        return min(max(self.period.start, self.known_from), self.until)

    @property
    def until(self) -> float:
        return max(self.period.start, min(self.period.stop, self.now))

    @property
    def complete(self) -> bool:
        """Whether the month is over."""
        return self.now >= self.period.stop
