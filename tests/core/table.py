"""What the tests of the lifecycle table say again and again: the moment, the wishes, the answers."""

from __future__ import annotations

from tests.core.shapes import NOW, PLACE, service

from poorwill.core.action import Action, Conclude, Start, Stop
from poorwill.core.door import GateState, Traffic
from poorwill.core.lifecycle import phase, steps
from poorwill.core.model import Demand, Intent, IntentKind, Now, Observation, Outcome, Phase, Service

T = NOW.mono
WANTED, UNWANTED = Demand(1, "requests are waiting"), Demand(0, "no activity for 1m")
GATES = tuple(GateState)
DEMANDS = (WANTED, UNWANTED)
PRESENT = ("starting", "running")
QUIET = Traffic(quiet_since=T - 60, read_at=T, previous_at=T - 0.06)
START = Start(PLACE, WANTED.reason)
STOP = Stop(PLACE, UNWANTED.reason)


def started(**more: object) -> Intent:
    return Intent(IntentKind.START, T - 5, "asked", **{"returned_at": T - 3, **more})  # type: ignore[arg-type]


def stopped(**more: object) -> Intent:
    return Intent(IntentKind.STOP, T - 5, "idle", **{"returned_at": T - 3, "attempts": 1, **more})  # type: ignore[arg-type]


def look(
    shape: Observation, demand: Demand, rules: Service | None = None, at: float = T
) -> tuple[Phase, tuple[Action, ...], float | None]:
    now = Now(NOW.wall, at, NOW.boot)
    actions, again = steps(rules or service(), shape, demand, now)
    return phase(rules or service(), shape, demand, now), actions, again


def done(outcome: str, reason: str = "") -> Conclude:
    return Conclude(PLACE, Outcome(outcome), reason)
