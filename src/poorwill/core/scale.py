"""How many instances the load asks for: rules and targets, as functions of readings and a time."""

from __future__ import annotations

from dataclasses import dataclass

from poorwill.core.load import Load


@dataclass(frozen=True, slots=True)
class ScalePolicy:
    """``slots`` is how many requests one instance takes at a time (``concurrency``), None without a limit."""

    min_instances: int = 0
    max_instances: int = 1
    slots: int | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """How many instances were wanted by the last decision, and since when (monotonic)."""

    count: int = 0
    changed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Scaled:
    """How many instances the load asks for, why, and when time alone may change that (monotonic)."""

    desired: int
    reason: str = ""
    until: float | None = None


def scaled(policy: ScalePolicy, load: Load, scale: Scale, waiting: int, now: float) -> Scaled:
    """What the load asks for. ``waiting`` requests are held now; ``scale.count`` 0 means it is asleep.

    Between ``min_instances`` and ``max_instances``; 0 only from a rule that says so.
    """
    least = max(policy.min_instances, 1 if waiting or scale.count else 0)
    return Scaled(min(policy.max_instances, max(least, scale.count)))
