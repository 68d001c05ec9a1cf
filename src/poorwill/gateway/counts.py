"""Envoy's counters of one service put together: all its traffic classes but the background.

How long a request took is Envoy's ``upstream_rq_time``: from when all of it had arrived (and the gate, if it
had to wait there, had let it through) to the last byte of the answer, whole milliseconds. That is what was
measured of the real one:

- an event stream or a streamed answer counts with its whole length once the service ends it;
- a websocket, a stream that the visitor ends, and an answer that breaks off are not timed at all;
- an answer that never came (no connection, reset) is a 5xx and not timed;
- time at the gate is not in it, time in Envoy's own queue for a slot is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from poorwill.core.counts import Counts, Span
from poorwill.gateway.admin import Bin
from poorwill.gateway.doors import Door

_COUNTERS = "active|pending_active|total|completed|cancelled|5xx|time"
_NAME = re.compile(r"^cluster\.([^./]+)/(?:slots/)?(?:active|busy)\.upstream_rq_(\w+)$")

Stats = Mapping[str, int | str]


def pattern(services: Collection[str] | None = None) -> str:
    """What to ask Envoy's admin interface for; None means all services."""
    names = "[^./]+" if services is None else "|".join(map(re.escape, sorted(services)))
    return rf"^cluster\.({names})/(slots/)?(active|busy)\.upstream_rq_({_COUNTERS})$"


def counts(
    stats: Stats, histograms: Mapping[str, list[Bin]], doors: Mapping[str, Door], at: float
) -> dict[str, Counts]:
    """By service, for each that has a door. One without requests so far is all zeros."""
    sums: dict[str, dict[str, int]] = {name: {} for name in doors}
    for name, value in stats.items():
        if (found := _NAME.match(name)) and found[1] in sums:
            mine = sums[found[1]]
            mine[found[2]] = mine.get(found[2], 0) + int(value)
    took: dict[str, dict[Span, int]] = {name: {} for name in doors}
    for name, bins in histograms.items():
        if (found := _NAME.match(name)) and found[1] in took:
            spans = took[found[1]]
            for each in bins:
                spans[_span(each)] = spans.get(_span(each), 0) + each.values
    return {name: _counts(door, sums[name], took[name], at) for name, door in doors.items()}


def _counts(door: Door, sums: Mapping[str, int], took: Mapping[Span, int], at: float) -> Counts:
    awake = door.passable.is_set()
    return Counts(
        at=at,
        begun=sums.get("total", 0),
        ended=sums.get("completed", 0),
        errors=sums.get("5xx", 0),
        took=took,
        lined=door.stood.count,
        waited=door.stood.seconds,
        open=sums.get("active", 0),
        queued=sums.get("pending_active", 0) + (len(door.line) if awake else 0),
        held=0 if awake else door.waiting,  # at an open door only those wait who stand in the line
        left=door.stood.left,
        cancelled=sums.get("cancelled", 0),
        waits=door.waits.total,
    )


def _span(each: Bin) -> Span:
    """In seconds. What took less than a millisecond is told as zero."""
    if not each.lower:
        return 0.0, 0.001
    return round(each.lower / 1000, 6), round((each.lower + each.width) / 1000, 6)
