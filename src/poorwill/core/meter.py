"""What hardware of one's own drew: energy that was measured, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from poorwill.core.price import Power
from poorwill.core.tariff import HOUR, Span, micros


@dataclass(frozen=True, slots=True)
class Meter:
    """``kwh`` drawn from ``since`` to ``until`` (seconds since the epoch); the mean in between counts.

    ``instance`` is empty where all instances of the payer were measured together.
    """

    payer: str
    since: float
    until: float
    kwh: Decimal
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Draw:
    """``kwh`` is what a microsecond of this time drew; None where nothing was measured."""

    start: int
    end: int
    kwh: Fraction | None = None


def draws(meters: Iterable[Meter], span: Span) -> Iterator[Draw]:
    """The time of ``span`` in order, measured and not measured. What was measured twice counts once."""
    here, stop = span
    for meter in sorted(meters, key=lambda one: one.since):
        start, end = micros(meter.since), micros(meter.until)
        if end <= max(start, here) or start >= stop:
            continue
        mean = Fraction(meter.kwh) / (end - start)
        if start > here:
            yield Draw(here, start)
        here, begins = min(end, stop), max(start, here)
        yield Draw(begins, here, mean)
    if here < stop:
        yield Draw(here, stop)


def cost_of(power: Power, draw: Draw, many: int) -> Fraction:
    """What a microsecond of it costs one of ``many`` instances that were measured together."""
    if draw.kwh is None:
        return Fraction(power.watts) * Fraction(power.per_kwh) / (1000 * HOUR)
    rest = Fraction(power.base_watts) / (1000 * HOUR)
    return (draw.kwh + rest) * Fraction(power.per_kwh) / many


def together(spans: Sequence[Span]) -> list[tuple[int, int, int]]:
    """From when to when how many of these were there at once; without the times of none."""
    steps = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    found: list[tuple[int, int, int]] = []
    here, count = 0, 0
    for at, step in steps:
        if count and at > here:
            found.append((here, at, count))
        here, count = at, count + step
    return found
