"""What something drew, from samples of how much it draws."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

BRIDGED = 3
"""Samples that may be missing in a row. Over a longer gap nobody knows what was drawn."""

_JOULES = Decimal(3_600_000)
_FINEST = Decimal("0.000000001")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn from ``since`` to ``until`` (monotonic seconds)."""

    since: float
    until: float
    joules: float

    @property
    def kwh(self) -> Decimal:
        return (Decimal(self.joules) / _JOULES).quantize(_FINEST)


@dataclass(frozen=True, slots=True)
class Running:
    """A measurement that goes on: ``joules`` since ``since``, and the last sample."""

    since: float
    at: float
    watts: float
    joules: float = 0.0

    def ended(self) -> tuple[Drawn, ...]:
        """What is known; nothing after a single sample."""
        return (Drawn(self.since, self.at, self.joules),) if self.at > self.since else ()


def sample(
    running: Running | None, at: float, watts: float, *, every: float, write_every: float
) -> tuple[Running, tuple[Drawn, ...]]:
    """Take in a sample: between two of them the draw is taken to change evenly (the trapezoidal rule).

    Returns what is over with it: all ``write_every`` seconds, and before a gap.
    """
    if running is None or at <= running.at:
        return Running(at, at, watts), () if running is None else running.ended()
    if at - running.at > BRIDGED * every:
        return Running(at, at, watts), running.ended()
    joules = running.joules + (running.watts + watts) / 2 * (at - running.at)
    after = Running(running.since, at, watts, joules)
    if at - after.since >= write_every:
        return Running(at, at, watts), after.ended()
    return after, ()
