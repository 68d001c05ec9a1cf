"""The way of visitors to a service as the core sees it: its gate, its instances in Envoy, what moves there.

Times are readings of the monotonic clock in seconds, as in ``core.model``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class GateState(StrEnum):
    """Whether Envoy asks the gate before it lets a request through.

    OPEN and CLOSED are confirmed by Envoy; MOVING is a change not yet confirmed, in either direction.
    """

    OPEN = "open"
    CLOSED = "closed"
    MOVING = "moving"


@dataclass(frozen=True, slots=True)
class Gate:
    state: GateState
    since: float


class Membership(StrEnum):
    """Whether Envoy sends visitors to an instance. CORDONED: only those whose cookie names it.

    MOVING is a change not yet confirmed by Envoy; the others are.
    """

    OUT = "out"
    IN = "in"
    CORDONED = "cordoned"
    MOVING = "moving"


@dataclass(frozen=True, slots=True)
class Member:
    state: Membership = Membership.OUT
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What moves through Envoy, to a service or to one instance of it.

    ``active`` and ``busy`` are the requests open now in these classes. ``last_activity`` is the newest
    moment that counts (see ``core.traffic``). ``quiet_since`` is the first of an unbroken run of
    readings with nothing open in either class and unchanged request counters; ``read_at`` the newest
    reading, ``previous_at`` the one before. None means there was none yet.
    """

    active: int = 0
    busy: int = 0
    last_activity: float | None = None
    quiet_since: float | None = None
    read_at: float | None = None
    previous_at: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Demand by visitors: ``waiting`` requests held now, and when the newest one asked. ``client`` was the
    first to ask since it was last awake, with the program ``program``.
    """

    waiting: int = 0
    last_at: float | None = None
    client: str = ""
    program: str = ""
