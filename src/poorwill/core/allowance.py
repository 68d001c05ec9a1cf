"""How often requests may wake a service: by all clients together, and by each.

A wake counts when a request caused it. What people say and what the schedule wants never counts, and is never
held back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST = 1000
"""Wakes that are remembered at most, and the largest number that can be allowed."""

WAKING_RULES = ("waiting", "in_use")
"""Rows of ``core.demand.ORDER`` by which requests wake."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``count`` within any ``seconds``."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Woken:
    """One wake by a request: when (seconds since the epoch), and by which client, as a name that only tells
    clients apart.
    """

    at: float
    client: str = ""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one service allows, and what was taken of it, oldest first."""

    total: Rate | None = None
    each: Rate | None = None
    woken: tuple[Woken, ...] = ()

    def total_until(self, wall: float) -> float | None:
        """When requests may wake it again; None when they may now."""
        return _until(self.total, [one.at for one in self.woken], wall)

    def client_until(self, client: str, wall: float) -> float | None:
        """When this client may wake it again, the limit for all aside."""
        return _until(self.each, [one.at for one in self.woken if one.client == client], wall)

    def used(self, wall: float) -> int:
        """Wakes by requests within the time of the limit for all."""
        return 0 if self.total is None else len(_recent(self.total, [one.at for one in self.woken], wall))

    @property
    def span(self) -> float:
        """Seconds for which a wake has to be remembered; 0 when nothing is limited."""
        return max((rate.seconds for rate in (self.total, self.each) if rate is not None), default=0.0)

    def plus(self, wake: Woken) -> tuple[Woken, ...]:
        """What is to be remembered after one more wake."""
        return (*(one for one in self.woken if wake.at - one.at < self.span), wake)[-MOST:]


def _recent(rate: Rate, moments: Sequence[float], wall: float) -> list[float]:
    """Those that count. What seems to lie ahead was before the clock was set back, and counts as now."""
    known = (min(at, wall) for at in moments)
    return sorted(at for at in known if at + rate.seconds > wall)


def _until(rate: Rate | None, moments: Sequence[float], wall: float) -> float | None:
    if rate is None:
        return None
    recent = _recent(rate, moments, wall)
    return None if len(recent) < rate.count else recent[-rate.count] + rate.seconds
