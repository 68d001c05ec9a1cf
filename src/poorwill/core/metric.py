"""What can be measured of a service, and what it was over a time.

Every metric is averaged over the ``window`` seconds before a moment, so that one odd second decides nothing:

- ``concurrency``, ``queue_length``, ``held_requests``, ``cpu``, ``memory``, ``gpu_utilization``,
  ``gpu_memory`` and the user's own: the mean over that time. Concurrency is everything that visitors have
  open: what an instance works at, what waits for a slot, what waits for the service to wake.
- ``request_rate``: requests begun in that time, per second.
- ``response_latency``: mean or percentile of the requests that ended in that time. ``error_rate``: how many
  of them failed. When nothing ended, it is 0 if nobody waits for an answer, and else cannot be told yet.
- ``request_count``: requests begun; its window is the whole ``duration`` of its rule.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite

from poorwill.core.load import Reading


class Unit(StrEnum):
    """What a value is counted in. A percentage is 80, not 0.8."""

    SECONDS = "seconds"
    PER_SECOND = "per second"
    COUNT = "count"
    PERCENT = "percent"
    BYTES = "bytes"
    NUMBER = "number"


class Kind(StrEnum):
    """How a metric is made of readings."""

    LEVEL = "level"
    RATE = "rate"
    COUNT = "count"
    LATENCY = "latency"
    ERRORS = "errors"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Metric:
    """``name`` is what users write, for a gauge its key in ``Reading.gauges``; ``label`` how it is called in
    sentences. ``shared``: instances share it out between them, so it is looked at per instance.
    """

    name: str
    kind: Kind = Kind.GAUGE
    unit: Unit = Unit.NUMBER
    shared: bool = False
    text: str = ""

    @property
    def label(self) -> str:
        return self.text or self.name

    @property
    def by_requests(self) -> bool:
        """Whether no value means that nothing ended, and not that nobody looked."""
        return self.kind in (Kind.LATENCY, Kind.ERRORS)


METRICS = {
    metric.name: metric
    for metric in (
        Metric("response_latency", Kind.LATENCY, Unit.SECONDS),
        Metric("request_rate", Kind.RATE, Unit.PER_SECOND, shared=True),
        Metric("request_count", Kind.COUNT, Unit.COUNT),
        Metric("concurrency", Kind.LEVEL, Unit.COUNT, shared=True),
        Metric("queue_length", Kind.LEVEL, Unit.COUNT),
        Metric("held_requests", Kind.LEVEL, Unit.COUNT),
        Metric("error_rate", Kind.ERRORS, Unit.PERCENT),
        Metric("cpu", Kind.GAUGE, Unit.PERCENT),
        Metric("memory", Kind.GAUGE, Unit.BYTES),
        Metric("gpu_utilization", Kind.GAUGE, Unit.PERCENT),
        Metric("gpu_memory", Kind.GAUGE, Unit.BYTES),
    )
}
"""The ones that Poorwill measures itself."""

MEAN = 0.0
"""Stands for the mean where else a percentile stands."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a metric was at ``at``, None when it cannot be told. ``since`` is where its reading began."""

    at: float
    since: float
    value: float | None


def moments(
    readings: Sequence[Reading],
    metric: Metric,
    window: float,
    percentile: float = MEAN,
    back_to: float = -inf,
) -> Iterator[Moment]:
    """The values at each reading, newest first, each over the ``window`` that ended there. Readings before
    ``back_to`` are of no interest, but for the windows that reach there.
    """
    readings = readings[bisect_left(readings, back_to - window, key=lambda reading: reading.at) :]
    parts = [_part(reading, metric) for reading in readings]
    sums = list(_running(parts))
    spread: Counter[float] = Counter()
    first = len(readings)
    for last in range(len(readings) - 1, -1, -1):
        while first > 0 and readings[first - 1].at > readings[last].at - window:
            first -= 1
            spread.update(dict(readings[first].took) if percentile else {})
        over = [late - early for late, early in zip(sums[last + 1], sums[first], strict=True)]
        if not over[1]:
            value = 0.0 if metric.by_requests and not at_hand(readings[last]) else None
        elif percentile:
            value = quantile(spread, percentile)
        else:
            value = round(over[0] / over[1], 9)
        yield Moment(readings[last].at, readings[last].at - readings[last].span, value)
        spread.subtract(dict(readings[last].took) if percentile else {})


def at_hand(reading: Reading) -> int:
    """Requests that visitors have open, those that wait included."""
    return reading.open + reading.queued + reading.held


def quantile(spread: Counter[float], percentile: float) -> float | None:
    """The value below which so many per cent lie, as if each bucket were evenly filled. Beyond the last
    bound it is that bound. None when nothing was counted.
    """
    wanted = sum(spread.values()) * percentile / 100
    below = 0.0
    for bound in sorted(spread):
        count = spread[bound]
        if count and count >= wanted:
            return below if bound == inf else below + (bound - below) * max(0.0, wanted) / count
        wanted -= count
        below = bound if bound != inf else below
    return None


def _running(parts: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    above = below = 0.0
    yield above, below
    for one, other in parts:
        above, below = above + one, below + other
        yield above, below


def _part(reading: Reading, metric: Metric) -> tuple[float, float]:
    """What the value is a quotient of, as far as this reading goes."""
    span = max(reading.span, 0.001)
    if metric.kind is Kind.RATE:
        return float(reading.begun), span
    if metric.kind is Kind.COUNT:
        return float(reading.begun), 1.0
    if metric.kind is Kind.ERRORS:
        return 100.0 * reading.errors, float(reading.ended)
    if metric.kind is Kind.LATENCY:
        return reading.seconds, float(reading.timed)
    level = _level(reading, metric)
    return (0.0, 0.0) if level is None else (level * span, span)


def _level(reading: Reading, metric: Metric) -> float | None:
    if metric.kind is Kind.GAUGE:
        value = reading.gauges.get(metric.name)
        return value if value is not None and isfinite(value) else None
    levels = {"concurrency": at_hand(reading), "queue_length": reading.queued, "held_requests": reading.held}
    return float(levels[metric.name])
