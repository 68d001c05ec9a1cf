"""Target mode: so many requests for each instance, and Poorwill finds the number of instances.

The numbers and the two windows are those that Knative publishes for its autoscaler; where this differs,
docs/adr/0009-target-mode.md says why. The load is averaged over two windows, ``stable`` and ``panic``:

- More instances come as soon as the stable average needs them. When the panic average needs
  ``panic_threshold`` times those there are, as many as *it* needs come at once.
- Fewer come only when the smaller number, with ``MARGIN`` to spare, would have been enough for the whole
  ``patience``, and would not have panicked in it; never more than a halving at a time, and never sooner
  than ``patience`` after the last change. So there is no going down while in panic.

The last instance is not for the target to remove.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from poorwill.core.load import Load, Reading
from poorwill.core.metric import Metric, moments
from poorwill.core.scale_rule import GAP

MARGIN = 0.9
"""What a smaller number of instances may be used to before it is gone down to."""


@dataclass(frozen=True, slots=True)
class Target:
    """``metric`` counts requests (concurrency) or requests per second, ``each`` is how much of it one
    instance should have. ``patience`` None is the stable window.
    """

    metric: Metric
    each: float
    stable: float = 60.0
    panic: float = 6.0
    panic_threshold: float = 2.0
    up_rate: float = 1000.0
    down_rate: float = 2.0
    cooldown: float | None = None

    @property
    def patience(self) -> float:
        return max(self.stable, self.cooldown or 0.0)


@dataclass(frozen=True, slots=True)
class Aim:
    """Both averages of now, in total, None when there are none yet; and what they ask for."""

    target: Target
    stable: float | None = None
    panic: float | None = None
    panicking: bool = False
    desired: int = 0
    lower_at: float | None = None
    trouble: str = ""


def aim(target: Target, load: Load, count: int, changed_at: float, now: float) -> Aim:
    """What the target asks for with ``count`` instances (at least one), so many since ``changed_at``."""
    readings = load.readings
    if not readings:
        return Aim(target, desired=count)
    if now - readings[-1].at > GAP:
        return Aim(target, desired=count, trouble="nothing has been measured for a while")
    slow = _recent(readings, target, target.stable, now)
    quick = _recent(readings, target, target.panic, now)
    stable, panic = slow[0][1], quick[0][1]
    ahead = ceil(panic / target.each)
    panicking = ahead >= target.panic_threshold * count
    most = ceil(target.up_rate * count)
    wanted = max(ceil(stable / target.each), ahead if panicking else 0)
    if wanted > count:
        return Aim(target, stable, panic, panicking, min(wanted, most))
    enough = max(_fewest(target, slow, quick), floor(count / target.down_rate), 1)
    if panicking or enough >= count:
        return Aim(target, stable, panic, panicking, count)
    lower_at = max(changed_at, _watched_from(readings, now)) + target.patience
    return Aim(target, stable, panic, False, enough if now >= lower_at else count, lower_at)


def _recent(
    readings: Sequence[Reading], target: Target, window: float, now: float
) -> list[tuple[float, float]]:
    """The averages over this window at each reading within the patience, and at the last, newest first."""
    found: list[tuple[float, float]] = []
    back_to = min(now - target.patience, readings[-1].at)
    for moment in moments(readings, target.metric, window, back_to=back_to):
        if found and moment.at < now - target.patience:
            break
        found.append((moment.at, moment.value or 0.0))
    return found


def _fewest(target: Target, slow: Sequence[tuple[float, float]], quick: Sequence[tuple[float, float]]) -> int:
    """How many instances would have been enough all the time."""
    each = target.each * MARGIN
    calm = max(ceil(round(value / each, 9)) for _, value in slow)
    # One less than what panics: as many as make the panic average need less than the threshold.
    without_panic = max(
        floor(ceil(round(value / each, 9)) / target.panic_threshold) + 1 if value else 0 for _, value in quick
    )
    return max(calm, without_panic)


def _watched_from(readings: Sequence[Reading], now: float) -> float:
    """From when on somebody has looked without a break."""
    since = now
    for reading in reversed(readings):
        if since - reading.at > GAP:
            break
        since = reading.at - reading.span
    return since
