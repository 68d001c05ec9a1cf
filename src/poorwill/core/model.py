"""The nouns of the core: what is known about a service, and what can be done about it.

Times named ``*_at`` and ``*since`` are readings of the monotonic clock in seconds, comparable with
``Now.mono`` of the same boot; durations are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from poorwill.core.allowance import Allowance, Rate
from poorwill.core.budget import Budget, Standing
from poorwill.core.door import Asked, Gate, Member, Traffic
from poorwill.core.load import Load
from poorwill.core.owed import Owed
from poorwill.core.scale import Scale, Scaled, ScalePolicy
from poorwill.core.schedule import Timetable
from poorwill.core.share import Verdict
from poorwill.core.work import BusyRule, Work


@dataclass(frozen=True, slots=True)
class Now:
    """One reading of the clocks, taken once per cycle.

    ``wall`` is seconds since the epoch (UTC), ``mono`` the monotonic clock in seconds, ``boot`` names
    the boot of the host, because monotonic readings of different boots cannot be compared.
    """

    wall: float
    mono: float
    boot: str


class OnRequest(StrEnum):
    """What a visitor does to a service that sleeps: wake it, be asked on a page whether to, or nothing."""

    WAKE = "wake"
    PAGE = "page"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Service:
    """The rules of one service, job or machine, as far as the core needs them.

    ``settle`` is the provider's: for so long after a call returned, a contrary ``list()`` is not
    believed. ``keepalive_bytes`` is the bytes per minute that an open but idle stream may move
    (pings, keep-alive comments) without counting as activity. ``on_request`` says what a visitor can do
    outside the windows of ``timetable``. A ``job`` is visited by nobody: it runs until it is done.
    ``adopt`` says that what others start is Poorwill's to stop, too. ``busy`` is None for a service without a
    busy probe.
    ``max_wakes`` and ``max_wakes_per_client`` limit how often requests wake it. ``scale`` is None where
    there is one instance or none. ``sticky`` visitors come back to the instance that they came to first.
    ``budgets`` are those that bind it: its own, those of what it needs or runs on, and those for everything.
    """

    name: str
    idle_after: float = 600.0
    drain: float = 30.0
    start_timeout: float = 120.0
    settle: float = 0.0
    keepalive_bytes: int = 1024
    on_request: OnRequest = OnRequest.WAKE
    timetable: Timetable | None = None
    job: bool = False
    busy: BusyRule | None = None
    adopt: bool = False
    max_wakes: Rate | None = None
    max_wakes_per_client: Rate | None = None
    scale: ScalePolicy | None = None
    sticky: bool = False
    budgets: tuple[Budget, ...] = ()

    @property
    def most(self) -> int:
        """How many instances there can be."""
        return self.scale.max_instances if self.scale else 1


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
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Intent:
    """What Poorwill committed to do with an instance and has not yet seen done.

    ``calling`` is true while the provider call is under way. ``returned_at`` is when the last call came
    back, None when it never did (or a restart forgot). ``error`` is that call's failure, empty when it
    succeeded; ``delay`` is when the provider wants to be asked again, in seconds. ``attempts`` counts calls
    begun. ``written`` says that the intent is on the disk, ``refused`` that the last call made nothing.
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
    delay: float | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Failures:
    """Failures in a row, without a start in between that lasted.

    ``delay`` is when the provider wants to be asked again (no GPU in stock), in seconds after ``last_at``.
    """

    count: int = 0
    last_at: float = 0.0
    reason: str = ""
    delay: float | None = None


def newest_failures(known: Iterable[Failures]) -> Failures:
    """Those of the instance that failed last; of none when none did."""
    return max(known, key=lambda one: (one.count > 0, one.last_at))


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy of a service, or the empty place for one.

    ``ready`` means a probe was answered in this life of the instance; ``ready_since`` says when.
    ``seen_since`` is since when the provider has reported ``condition`` without a break.
    ``detail`` is the provider's own words (an exit code, a cloud's state); ``exit_code`` is how a life that
    is over ended. ``outcome`` and ``outcome_at`` are the last outcome in the journal. ``due`` is the hour
    (seconds since the epoch) of the run that a job was last started for. ``foreign`` says that it is there,
    that Poorwill did not start this life of it, and that nobody has asked Poorwill to adopt it. ``member``
    says whether it is sent visitors where there are several, and ``traffic`` is its own there.
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
    exit_code: int | None = None
    due: float | None = None
    foreign: bool = False
    failures: Failures = field(default_factory=Failures)
    member: Member = field(default_factory=Member)
    traffic: Traffic = field(default_factory=Traffic)


class HandKind(StrEnum):
    WAKE = "wake"
    SLEEP = "sleep"


@dataclass(frozen=True, slots=True)
class Hand:
    """A person's demand. ``until`` (monotonic) ends it, and so does the hour ``until_wall`` (seconds since
    the epoch); with neither it holds until it is given back.

    ``force`` on a ``sleep`` cuts what is still open instead of waiting for it.
    """

    kind: HandKind
    at: float
    until: float | None = None
    by: str = "by hand"
    force: bool = False
    until_wall: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person wants for certain hours to come; ``start`` and ``stop`` are seconds since the epoch."""

    kind: HandKind
    start: float
    stop: float
    by: str = "by hand"


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything known about one service at one moment.

    ``needed_by`` names what needs this service (or runs on this machine) and is wanted or still there,
    ``needed_at`` is when that was last so. ``missing`` says what it has to wait for before it can start;
    empty when nothing. ``wake_time`` is how long its starts take, for windows that begin with a service
    that answers. ``last_run`` is the hour of the last run of a job that is settled, ``watched_from`` since
    when Poorwill has been there to start one (both seconds since the epoch). ``work`` is what its busy probe
    says, ``owed`` the debt that was open when this was seen. ``at_rest`` says that by the last decision
    nothing of it was wanted or there. ``gpu`` is what becomes of its claim on a GPU that it shares. ``scale``
    is how many instances it wanted. ``standings`` is how its ``budgets`` stand, as far as that is known.
    """

    instances: tuple[Instance, ...]
    gate: Gate
    traffic: Traffic = field(default_factory=Traffic)
    asked: Asked = field(default_factory=Asked)
    hand: Hand | None = None
    plans: tuple[Plan, ...] = ()
    needed_by: tuple[str, ...] = ()
    needed_at: float | None = None
    missing: str = ""
    wake_time: float = 0.0
    last_run: float | None = None
    watched_from: float = 0.0
    work: Work = field(default_factory=Work)
    owed: Owed | None = None
    allowance: Allowance = field(default_factory=Allowance)
    at_rest: bool = False
    load: Load = field(default_factory=Load)
    scale: Scale = field(default_factory=Scale)
    gpu: Verdict | None = None
    standings: tuple[Standing, ...] = ()

    @property
    def failures(self) -> Failures:
        """The newest failures in a row of an instance."""
        return newest_failures(instance.failures for instance in self.instances)

    @property
    def fresh(self) -> bool:
        """Whether a start would be a new wake: not another try, nor the return after a crash in use."""
        return all(
            one.condition is Condition.ABSENT
            and one.intent is None
            and (self.at_rest or one.outcome in (None, Outcome.STOPPED))
            for one in self.instances
        )


class Phase(StrEnum):
    ASLEEP = "asleep"
    WAKING = "waking"
    AWAKE = "awake"
    DRAINING = "draining"
    STOPPING = "stopping"
    FAILED = "failed"
    LEFT = "left"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Demand:
    """How many instances are wanted, why, and when that may change by itself (None: never).

    ``rule`` is the row of ``core.demand.ORDER`` that decided. ``entrance`` is what a visitor who finds the
    service asleep can do about it. ``scaled`` is what the load had to say, where it was asked.
    """

    desired: int
    reason: str
    until: float | None = None
    rule: str = ""
    entrance: OnRequest = OnRequest.WAKE
    scaled: Scaled | None = None
