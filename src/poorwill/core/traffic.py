"""What counts as activity, judged from Envoy's counters.

Open is not active: a websocket or an event stream that only sends keep-alives must not keep a service
awake, while a streaming answer must. Counters cannot show single messages, so bytes are judged with a
leaky bucket: it fills with the bytes moved and drains at the rate that keep-alives explain
(``keepalive_bytes`` per minute for each open stream). When more than ``BURST`` bytes a stream remain,
somebody is at work.
"""

from __future__ import annotations

from dataclasses import dataclass

from poorwill.core.door import Traffic

BURST = 256
"""Bytes per open stream that one keep-alive round may move at once without counting."""

QUIET_SPAN = 0.05
"""Seconds that must lie between two readings of zero before a service counts as drained."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at Envoy's counters for one service.

    ``active`` and ``busy`` are requests open now; ``requests`` counts all begun in these two classes
    since Envoy's start, ``bytes`` all bytes moved in either direction by the class ``active``.
    """

    at: float
    active: int
    busy: int
    requests: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Meter:
    """What is remembered between two readings. ``level`` is the bucket: bytes for each open stream, so
    that streams which close take their share with them.
    """

    last: Reading | None = None
    level: float = 0.0
    last_activity: float | None = None
    quiet_since: float | None = None
    previous_at: float | None = None

    def traffic(self) -> Traffic:
        if self.last is None:
            return Traffic(last_activity=self.last_activity)
        return Traffic(
            active=self.last.active,
            busy=self.last.busy,
            last_activity=self.last_activity,
            quiet_since=self.quiet_since,
            read_at=self.last.at,
            previous_at=self.previous_at,
        )


def read(meter: Meter, reading: Reading, keepalive_bytes: int) -> Meter:
    """Add one reading. A counter that went down was reset by a new Envoy and counts from zero."""
    previous = meter.last
    if previous is None:
        return Meter(
            last=reading,
            last_activity=reading.at if reading.busy else meter.last_activity,
            quiet_since=None if reading.active or reading.busy else reading.at,
        )
    requests = _grown(previous.requests, reading.requests)
    streams = max(1, reading.active, previous.active)
    level = meter.level + _grown(previous.bytes, reading.bytes) / streams
    level -= keepalive_bytes / 60 * max(0.0, reading.at - previous.at)
    working = bool(requests or reading.busy or level > BURST)
    quiet = not (reading.active or reading.busy or requests)
    return Meter(
        last=reading,
        level=0.0 if working else max(0.0, level),
        last_activity=reading.at if working else meter.last_activity,
        quiet_since=(meter.quiet_since or reading.at) if quiet else None,
        previous_at=previous.at,
    )


def drained(traffic: Traffic, gate_closed_at: float, drain: float, idle_after: float) -> bool:
    """Whether nothing would be cut by a stop.

    True when two readings of zero, ``QUIET_SPAN`` apart, were taken after the gate was confirmed closed;
    or when the newest reading shows that only silent streams are left, see ``silent_at``.
    """
    read_at = traffic.read_at
    if read_at is None or read_at < gate_closed_at:
        return False
    if traffic.quiet_since is not None:
        since = max(traffic.quiet_since, gate_closed_at)
        return (traffic.previous_at or 0.0) >= since and read_at - since >= QUIET_SPAN
    return traffic.busy == 0 and read_at >= silent_at(traffic, gate_closed_at, drain, idle_after)


def silent_at(traffic: Traffic, gate_closed_at: float, drain: float, idle_after: float) -> float:
    """From when open streams of the class ``active`` may be cut, unless they move again.

    They have to be silent for ``idle_after``, and to have had ``drain`` seconds since the gate closed.
    Requests of the class ``busy`` are waited for without limit.
    """
    quiet_from = gate_closed_at if traffic.last_activity is None else traffic.last_activity + idle_after
    return max(gate_closed_at + drain, quiet_from)


def _grown(before: int, after: int) -> int:
    return after - before if after >= before else after
