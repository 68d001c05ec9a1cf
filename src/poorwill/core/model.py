"""The nouns of the core: what is known about a service, and what can be done about it.

Times named ``*_at`` and ``*since`` are readings of the monotonic clock in seconds, comparable with
``Now.mono`` of the same boot; durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Now:
    """One reading of the clocks, taken once per cycle.

    ``wall`` is seconds since the epoch (UTC), ``mono`` the monotonic clock in seconds, ``boot`` names
    the boot of the host, because monotonic readings of different boots cannot be compared.
    """

    wall: float
    mono: float
    boot: str


@dataclass(frozen=True, slots=True)
class Service:
    """The rules of one service, as far as the core needs them.

    ``settle`` is the provider's: for so long after a call returned, a contrary ``list()`` is not
    believed. ``keepalive_bytes`` is the bytes per minute that an open but idle stream may move
    (pings, keep-alive comments) without counting as activity.
    """

    name: str
    idle_after: float = 600.0
    drain: float = 30.0
    start_timeout: float = 120.0
    settle: float = 0.0
    keepalive_bytes: int = 1024


class Condition(StrEnum):
    """What a provider says about an instance."""

    ABSENT = "absent"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    UNKNOWN = "unknown"


class IntentKind(StrEnum):
    START = "start"
    STOP = "stop"


class Outcome(StrEnum):
    """How the last intent, or the instance's life, ended."""

    READY = "ready"
    STOPPED = "stopped"
    FAILED = "failed"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Intent:
    """What Poorwill committed to do with an instance and has not yet seen done.

    ``calling`` is true while the provider call is under way. ``returned_at`` is when the last call came
    back, None when it never did (or a restart forgot). ``error`` is that call's failure, empty when it
    succeeded. ``attempts`` counts calls begun. ``written`` says that the intent is on the disk.
    """

    kind: IntentKind
    at: float
    reason: str = ""
    calling: bool = False
    attempts: int = 0
    returned_at: float | None = None
    error: str = ""
    permanent: bool = False
    written: bool = False


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy of a service, or the empty place for one.

    ``ready`` means a probe was answered in this life of the instance; ``ready_since`` says when.
    ``seen_since`` is since when the provider has reported ``condition`` without a break.
    ``detail`` is the provider's own words (an exit code, a cloud's state). ``outcome`` and
    ``outcome_at`` are the last outcome in the journal.
    """

    id: str
    condition: Condition
    intent: Intent | None = None
    ready: bool = False
    ready_since: float | None = None
    seen_since: float | None = None
    detail: str = ""
    probe_error: str = ""
    outcome: Outcome | None = None
    outcome_at: float | None = None


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


@dataclass(frozen=True, slots=True)
class Traffic:
    """What moves through Envoy.

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
    """Demand by visitors: ``waiting`` requests held now, and when the newest one asked."""

    waiting: int = 0
    last_at: float | None = None


class OnRequest(StrEnum):
    """What a visitor does to a service that sleeps: wake it, be asked on a page whether to, or nothing."""

    WAKE = "wake"
    PAGE = "page"
    CLOSED = "closed"


class HandKind(StrEnum):
    WAKE = "wake"
    SLEEP = "sleep"


@dataclass(frozen=True, slots=True)
class Hand:
    """A person's demand. ``until`` (monotonic) ends it; None holds until it is given back.

    ``force`` on a ``sleep`` cuts what is still open instead of waiting for it.
    """

    kind: HandKind
    at: float
    until: float | None = None
    by: str = "by hand"
    force: bool = False


@dataclass(frozen=True, slots=True)
class Failures:
    """Failures in a row, without a start in between that lasted."""

    count: int = 0
    last_at: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything known about one service at one moment."""

    instances: tuple[Instance, ...]
    gate: Gate
    traffic: Traffic = field(default_factory=Traffic)
    asked: Asked = field(default_factory=Asked)
    hand: Hand | None = None
    failures: Failures = field(default_factory=Failures)


class Phase(StrEnum):
    ASLEEP = "asleep"
    WAKING = "waking"
    AWAKE = "awake"
    DRAINING = "draining"
    STOPPING = "stopping"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Demand:
    """How many instances are wanted, why, and when that may change by itself (None: never)."""

    desired: int
    reason: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Commit to starting the instance, then start it."""

    instance: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Commit to stopping the instance, then stop it (again, when an earlier call did not take)."""

    instance: str
    reason: str


@dataclass(frozen=True, slots=True)
class Conclude:
    """Write down how an intent or a life ended. ``reason`` is empty for a good end."""

    instance: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OpenGate:
    """Let requests through without asking, and release those that wait."""


@dataclass(frozen=True, slots=True)
class CloseGate:
    """Make Envoy ask the gate before each new request."""


Action = Start | Stop | Conclude | OpenGate | CloseGate


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now. ``look_again_at`` (monotonic) is when time alone would change the answer."""

    phase: Phase
    desired: int
    reason: str
    actions: tuple[Action, ...] = ()
    look_again_at: float | None = None
