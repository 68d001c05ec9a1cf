"""What can be done about a service, and a decision to do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from poorwill.core.debt import Debt
from poorwill.core.model import OnRequest, Outcome, Phase
from poorwill.core.scale import Scaled
from poorwill.core.work import Hold


@dataclass(frozen=True, slots=True)
class Start:
    """Commit to starting the instance, then start it; for a job, for the run of the hour ``due``."""

    instance: str
    reason: str
    due: float | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Commit to stopping the instance, then stop it (again, when an earlier call did not take)."""

    instance: str
    reason: str


@dataclass(frozen=True, slots=True)
class Conclude:
    """Write down how an intent or a life ended. ``reason`` is empty for a good end.

    ``delay`` is when the provider wants to be asked again, in seconds; ``exit_code`` is how a job ended.
    """

    instance: str
    outcome: Outcome
    reason: str = ""
    delay: float | None = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """Write down that the run of the hour ``due`` (seconds since the epoch) of a job does not take place."""

    due: float
    reason: str


@dataclass(frozen=True, slots=True)
class Adopt:
    """From now on this life of the instance counts as one that Poorwill started."""

    instance: str
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Wait no longer for the stop call that is under way: the instance is gone."""

    instance: str


@dataclass(frozen=True, slots=True)
class OpenGate:
    """Let requests through without asking, and release those that wait."""


@dataclass(frozen=True, slots=True)
class CloseGate:
    """Make Envoy ask the gate before each new request."""


@dataclass(frozen=True, slots=True)
class Join:
    """Let Envoy send visitors to this instance, too."""

    instance: str


@dataclass(frozen=True, slots=True)
class Cordon:
    """Let Envoy send only those to this instance who have been there before."""

    instance: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Let Envoy send nobody to this instance any more; others go on."""

    instance: str


Action = Start | Stop | Conclude | Skip | Adopt | GiveUp | OpenGate | CloseGate | Join | Cordon | Leave


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now. ``look_again_at`` (monotonic) is when time alone would change the answer.

    ``rule`` and ``entrance`` are those of the ``Demand``. ``hold`` is what a busy probe makes of the sleep,
    ``debt`` what may cost money for nothing. ``phases`` are those of the instances, by id. ``scaled`` is what
    the load asks for, where that is a question.
    """

    phase: Phase
    desired: int
    reason: str
    actions: tuple[Action, ...] = ()
    look_again_at: float | None = None
    rule: str = ""
    entrance: OnRequest = OnRequest.WAKE
    hold: Hold = field(default_factory=Hold)
    debt: Debt | None = None
    phases: Mapping[str, Phase] = field(default_factory=dict)
    scaled: Scaled | None = None
