"""What was counted of a service in all, and what it did between two looks at that.

Counters grow until Envoy is started again, and then begin at zero: then all that they say was done
since the last look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import floor, log10

from poorwill.core.load import Buckets, Reading
from poorwill.core.waits import Waits

Span = tuple[float, float]
"""From and to, in seconds."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What stands on the counters at ``at`` (monotonic).

    ``begun`` requests came to an instance, ``ended`` were answered, ``errors`` of these with a 5xx or not at
    all. ``took`` says how long instances took, by span. ``lined`` requests stood in the line for a slot of an
    awake service and went through, ``waited`` seconds together. ``open`` are at an instance now, ``queued``
    wait for a slot, ``held`` for the service to wake. ``left`` gave up in that line, ``cancelled`` in Envoy's
    own. ``waits`` says what became of those who found the service asleep.
    """

    at: float
    begun: int = 0
    ended: int = 0
    errors: int = 0
    took: Mapping[Span, int] = field(default_factory=dict)
    lined: int = 0
    waited: float = 0.0
    open: int = 0
    queued: int = 0
    held: int = 0
    left: int = 0
    cancelled: int = 0
    waits: Waits = field(default_factory=Waits)


@dataclass(frozen=True, slots=True)
class Meter:
    """What is remembered between two looks.

    ``ahead`` is how many of those who came are not seen anywhere at the moment: they have left the line and
    are on their way to Envoy. Who stood in the line counts as begun.
    ``lined`` and ``waited`` are those of the line whose answer is still to come.
    """

    last: Counts | None = None
    ahead: int = 0
    lined: int = 0
    waited: float = 0.0


def read(meter: Meter, counts: Counts, gauges: Mapping[str, float]) -> tuple[Meter, Reading | None]:
    """What was done since the last look; None at the first one.

    For whoever stood in the line for a slot, that time counts too. Which answers were theirs cannot be told,
    so each gets the mean: in a line all wait for about as long.
    """
    before = meter.last
    if before is None:
        return Meter(counts), None
    if counts.begun < before.begun:  # a new Envoy
        before = replace(before, begun=0, ended=0, errors=0, took={}, cancelled=0)
    gone = counts.left - before.left + counts.cancelled - before.cancelled
    came = counts.begun - before.begun + counts.queued - before.queued + gone - meter.ahead
    took = {span: count - before.took.get(span, 0) for span, count in counts.took.items()}
    took = {span: count for span, count in took.items() if count > 0}
    lined = meter.lined + counts.lined - before.lined
    waited = meter.waited + counts.waited - before.waited
    timed = sum(took.values())
    of_line = min(lined, timed)
    pause = waited / lined if lined else 0.0
    reading = Reading(
        at=counts.at,
        span=counts.at - before.at,
        begun=max(0, came),
        ended=max(0, counts.ended - before.ended),
        errors=max(0, counts.errors - before.errors),
        seconds=seconds(took) + of_line * pause,
        took=buckets(_later(took, of_line, pause) if of_line else took),
        open=counts.open,
        queued=counts.queued,
        held=counts.held,
        gauges=gauges,
    )
    after = replace(meter, last=counts, ahead=max(0, -came), lined=lined - of_line)
    return replace(after, waited=max(0.0, waited - of_line * pause)), reading


def seconds(took: Mapping[Span, int]) -> float:
    """All of it together, as if each lay in the middle of its span: within 5 per cent, mostly within 1."""
    return sum((start + end) / 2 * count for (start, end), count in took.items())


def buckets(took: Mapping[Span, int]) -> Buckets:
    """Put into buckets that are at most a tenth as wide as they are long: rules look at hundreds of readings
    each second, and Envoy's own are four times as many.
    """
    ends: dict[float, int] = {}
    for span, count in took.items():
        start, end = _bucket(*span)
        ends.setdefault(start, 0)
        ends[end] = ends.get(end, 0) + count
    ends.pop(0.0, None)
    return tuple(sorted(ends.items()))


@lru_cache(4096)
def _bucket(start: float, end: float) -> Span:
    """The bucket in which the middle lies. Between 10 and 100 they end at 11, 12 … 20, 22 … 50, 55 … 100."""
    middle = (start + end) / 2
    if middle < 0.001:
        return 0.0, 0.001
    unit = 10.0 ** (floor(log10(middle)) - 1)
    digits = int(middle / unit)
    step = 1 if digits < 20 else 2 if digits < 50 else 5
    below = digits - digits % step
    return round(below * unit, 6), round((below + step) * unit, 6)


def _later(took: Mapping[Span, int], count: int, pause: float) -> dict[Span, int]:
    """``count`` of them, spread evenly over all, took ``pause`` seconds longer."""
    timed = sum(took.values())
    later: dict[Span, int] = {}
    seen = moved = 0
    for (start, end), here in sorted(took.items()):
        seen += here
        moving = round(count * seen / timed) - moved
        moved += moving
        for span, part in ((start + pause, end + pause), moving), ((start, end), here - moving):
            if part:
                rounded = (round(span[0], 4), round(span[1], 4))
                later[rounded] = later.get(rounded, 0) + part
    return later
