"""What suggestions about one service are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median

from poorwill.advisor.play import Use, uses_of
from poorwill.advisor.suggestion import MONTH, Rate
from poorwill.core.model import Service
from poorwill.core.stretch import Stretch

DAY = 86400.0


@dataclass(frozen=True)
class Case:
    """``since`` and ``until``: the time that is known, seconds since the epoch, in ``zone``. ``there`` is how
    many seconds the service really was there, ``wakes`` how long its starts took, ``ending`` how long a stop
    takes. ``lone`` is False when something else than visitors and hours keeps it awake: a person, another
    service, several instances. Then the replay knows too little.
    """

    service: Service
    stretches: Sequence[Stretch]
    since: float
    until: float
    zone: str
    there: float
    wakes: Sequence[float] = ()
    ending: float = 0.0
    rate: Rate = field(default_factory=Rate)
    lone: bool = True

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """When it was asked for and used, in order. A stretch begins when they are let in, so the first of
        those who waited had come so much earlier.
        """
        inside = (one for one in self.stretches if self.since <= one.start < self.until)
        return tuple(uses_of([(one.start - one.longest_wait, one.end, one.longest_wait) for one in inside]))

    @cached_property
    def wake(self) -> float:
        """How long a start takes: the middle one."""
        return median(self.wakes) if self.wakes else 0.0

    @property
    def days(self) -> float:
        return (self.until - self.since) / DAY

    @property
    def scale(self) -> float:
        """From the time that is known to a month of 30 days."""
        return MONTH / (self.until - self.since)

    @property
    def hours_a_month(self) -> float:
        return self.there * self.scale / 3600
