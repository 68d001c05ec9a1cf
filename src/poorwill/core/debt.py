"""What may cost money for nothing: an instance that is there although nobody needs it.

A debt is open until absence is confirmed, or somebody needs the instance again. When a person has to be told
follows from its cause; whoever tells is in ``control.debts``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from poorwill.core.model import Condition, Demand, Instance, IntentKind, Now, Observation
from poorwill.core.owed import Cause, Owed

FOREIGN = "foreign"
"""The row of ``core.demand.ORDER`` by which what others started is let alone."""

FAILING_FOR = 60.0
"""Seconds after which a stop that fails is told: it was tried half a dozen times by then. One that cannot
succeed before a person changes something is told at once.
"""

SLOW_FOR = 120.0
"""Seconds after which a stop that the provider took is no ordinary one any more: clouds need half a minute
and more, and until then nothing is wrong.
"""

SILENT_FOR = 300.0
"""Seconds after which it is told that an instance is still there although the provider took the stop, that
one runs which nobody needs and Poorwill did not start, or that nobody can tell whether one runs.
"""


STOP_FAILED = "the stop failed"
"""How the reason of a stop begins that had an error."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Debt:
    """``since`` is when nobody needed it any more, ``alert_at`` when a person has to be told."""

    cause: Cause
    since: float
    reason: str
    alert_at: float
    severity: Severity = Severity.ERROR
    instance: str = ""


_WORST = (Cause.STOP, Cause.UNKNOWN, Cause.FOREIGN)


def owed(seen: Observation, wish: Demand, now: Now) -> Debt | None:
    """The debt that is open now. One that was open stays so while nobody can tell.

    Of several instances it is the worst that counts; of those the one that was told before.
    """
    known = seen.owed.instance if seen.owed else ""
    debts = [debt for one in seen.instances if (debt := _owed(seen, one, wish, now)) is not None]
    return min(debts, key=lambda debt: (_WORST.index(debt.cause), debt.instance != known), default=None)


def slow_at(seen: Observation, now: Now) -> float | None:
    """When time alone makes a debt of a stop that goes on (monotonic)."""
    intents = [one.intent for one in seen.instances if one.intent is not None]
    moments = (one.at + SLOW_FOR for one in intents if one.kind is IntentKind.STOP)
    return min((moment for moment in moments if moment > now.mono), default=None)


def _owed(seen: Observation, instance: Instance, wish: Demand, now: Now) -> Debt | None:
    before = seen.owed if seen.owed and seen.owed.instance in ("", instance.id) else None
    if (stop := _stop(instance, before, now)) is not None:
        return stop
    if instance.condition is Condition.UNKNOWN:
        cause = before.cause if before is not None else Cause.UNKNOWN
        since = before.since if before is not None else now.mono
        return Debt(cause, since, unknown(instance), since + SILENT_FOR, instance=instance.id)
    runs = instance.condition is Condition.RUNNING
    if instance.foreign and runs and (wish.rule == FOREIGN or not wish.desired):
        since = before.since if before is not None and before.cause is Cause.FOREIGN else now.mono
        why = "nobody needs it, and it is not stopped, because Poorwill did not start it"
        return Debt(Cause.FOREIGN, since, why, since + SILENT_FOR, Severity.WARNING, instance.id)
    return None


def unknown(instance: Instance) -> str:
    """Why nothing can be said of it."""
    return f"nobody knows whether it runs: {instance.detail or 'the provider does not answer'}"


def _stop(instance: Instance, before: Owed | None, now: Now) -> Debt | None:
    """One that failed is a debt at once, one that was only not seen to succeed when it is unusually slow."""
    intent = instance.intent
    if intent is None or intent.kind is not IntentKind.STOP:
        return None
    known = before is not None and before.cause is Cause.STOP
    slow = intent.attempts > 1 and now.mono >= intent.at + SLOW_FOR
    if not (intent.error or slow or known):
        return None
    patience = 0.0 if intent.permanent else FAILING_FOR if intent.error else SILENT_FOR
    why = f"{STOP_FAILED}: {intent.error}" if intent.error else "it was asked to stop and is still there"
    return Debt(Cause.STOP, intent.at, why, intent.at + patience, instance=instance.id)
