"""How many instances the load asks for: rules and targets, as functions of readings and a time.

A policy has a target or rules, or neither. Of the rules, scaling out wins over scaling in:

1. *From nothing.* Requests that wait for a sleeping service, or for one that only wakes, ask at once for as
   many instances as take them all.
2. *Out.* Of the scale-out rules that fire, the one that wants most decides. As long as any scale-out rule is
   over its threshold, and while any of the metrics cannot be read, nothing is scaled in.
3. *In.* Of the scale-in rules that fire, the one that wants least decides; but there stay as many as the
   requests at hand need, none goes while requests wait, and none when the rest would be over the threshold
   of a scale-out rule about the same metric at once: then it would only come again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from poorwill.core.duration import duration_text
from poorwill.core.load import Load
from poorwill.core.metric import METRICS, at_hand
from poorwill.core.metric_text import change_text, count_text, rule_text, value_text
from poorwill.core.scale_rule import ScaleRule, Verdict, judge
from poorwill.core.target_mode import Aim, Target, aim

RECENT = 10.0
"""Seconds in which the most requests at hand are what instances are kept for."""


@dataclass(frozen=True, slots=True)
class ScalePolicy:
    """``slots`` is how many requests one instance takes at a time (``concurrency``), None without a limit."""

    min_instances: int = 0
    max_instances: int = 1
    slots: int | None = None
    scale_out: tuple[ScaleRule, ...] = ()
    scale_in: tuple[ScaleRule, ...] = ()
    target: Target | None = None

    @property
    def each(self) -> float | None:
        """How many requests one instance is meant to have; None when nothing says so."""
        if self.target is not None and self.target.metric == METRICS["concurrency"]:
            return self.target.each
        return self.slots


@dataclass(frozen=True, slots=True)
class Scale:
    """How many instances were wanted by the last decision, and since when (monotonic). ``reason`` is why, as
    it was said when it changed.
    """

    count: int = 0
    changed_at: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Scaled:
    """How many instances the load asks for, why, and when time alone may change that (monotonic).

    ``reason`` stays the same as long as the number does. ``trouble`` says why nothing is scaled that
    perhaps should be. ``verdicts`` and ``aim`` are what it rests on.
    """

    desired: int
    reason: str = ""
    until: float | None = None
    trouble: str = ""
    verdicts: tuple[Verdict, ...] = ()
    aim: Aim | None = None


def scaled(policy: ScalePolicy, load: Load, scale: Scale, waiting: int, now: float) -> Scaled:
    """What the load asks for. ``waiting`` requests are held now; ``scale.count`` 0 means it is asleep.

    Between ``min_instances`` and ``max_instances``; 0 only from a rule that says so, or asleep. A source of
    numbers that is gone changes nothing: as many instances stay as there are.
    """
    herd = _herd(policy, load, scale, waiting)
    if not scale.count:
        desired = _clamped(policy, herd)
        more = desired > max(1, policy.min_instances)
        return Scaled(desired, _herd_text(0, desired) if more else "")
    if policy.target is not None:
        found = _by_target(policy, policy.target, load, scale, waiting, now)
    else:
        found = _by_rules(policy, load, scale, waiting, now)
    desired, reason = _clamped(policy, found.desired), found.reason
    if herd > found.desired and _clamped(policy, herd) > scale.count:
        desired = _clamped(policy, herd)
        reason = _herd_text(scale.count, desired)
    elif desired == scale.count:
        reason = scale.reason
        if found.trouble:
            reason = f"stays at {count_text(scale.count)}: {found.trouble}"
    elif desired != found.desired:
        reason = (
            f"{reason} (min_instances to max_instances: {policy.min_instances} to {policy.max_instances})"
        )
    return Scaled(desired, reason, found.until, found.trouble, found.verdicts, found.aim)


def _clamped(policy: ScalePolicy, desired: int) -> int:
    return min(policy.max_instances, max(policy.min_instances, desired))


def _herd(policy: ScalePolicy, load: Load, scale: Scale, waiting: int) -> int:
    """How many instances those need who wait while nobody is served yet."""
    newest = load.readings[-1] if load.readings else None
    served = scale.count and newest is not None and (newest.open or newest.queued)
    if not waiting or served:
        return 0
    return ceil(waiting / policy.each) if policy.each else 1


def _herd_text(count: int, desired: int) -> str:
    return f"many requests wait: {change_text(count, desired)}"


# --- target -------------------------------------------------------------------------------------


def _by_target(
    policy: ScalePolicy, target: Target, load: Load, scale: Scale, waiting: int, now: float
) -> Scaled:
    found = aim(target, load, scale.count, scale.changed_at, now)
    if found.desired < scale.count:
        found = replace(found, desired=_kept(policy, load, scale.count, found.desired, waiting))
    until = found.lower_at if found.lower_at is not None and found.lower_at > now else None
    if found.desired == scale.count:
        return Scaled(scale.count, "", until, found.trouble, aim=found)
    window = target.panic if found.panicking and (found.panic or 0) > (found.stable or 0) else target.stable
    each = value_text(target.each, target.metric.unit)
    side = "more than" if found.desired > scale.count else "less than"
    words = f"{target.metric.label} over {duration_text(window)} {side} {each} per instance"
    change = change_text(scale.count, found.desired)
    return Scaled(found.desired, f"{words}: {change}", until, found.trouble, aim=found)


# --- rules --------------------------------------------------------------------------------------


def _by_rules(policy: ScalePolicy, load: Load, scale: Scale, waiting: int, now: float) -> Scaled:
    count = scale.count
    out = [judge(rule, load, count, scale.changed_at, now) for rule in policy.scale_out]
    inward = [judge(rule, load, count, scale.changed_at, now) for rule in policy.scale_in]
    verdicts = (*out, *inward)
    trouble = next((verdict.trouble for verdict in verdicts if verdict.trouble), "")
    held = [verdict.due_at(scale.changed_at) for verdict in verdicts if not verdict.fires]
    until = min((at for at in held if at is not None and at > now), default=None)
    fired = [verdict for verdict in out if verdict.fires]
    if fired:
        most = max(fired, key=lambda verdict: verdict.rule.action.from_(count))
        desired = max(count, most.rule.action.from_(count))
        return Scaled(desired, _change(most, count, _clamped(policy, desired)), until, trouble, verdicts)
    over = any(verdict.since is not None or verdict.trouble for verdict in out)
    leaving = [verdict for verdict in inward if verdict.fires]
    if not leaving or over or trouble:
        return Scaled(count, "", until, trouble, verdicts)
    least = min(leaving, key=lambda verdict: verdict.rule.action.from_(count))
    desired = _kept(policy, load, count, min(count, least.rule.action.from_(count)), waiting)
    while 0 < desired < count and _comes_again(least, out, count, desired):
        desired += 1
    return Scaled(desired, _change(least, count, desired), until, trouble, verdicts)


def _change(verdict: Verdict, before: int, after: int) -> str:
    return f"{rule_text(verdict.rule)}: {change_text(before, after)}"


def _kept(policy: ScalePolicy, load: Load, count: int, desired: int, waiting: int) -> int:
    """What is left when fewer are enough: what the requests at hand need stays, all of it while some wait."""
    newest = load.readings[-1]
    if waiting or newest.queued or newest.held:
        return count
    lately = max(at_hand(reading) for reading in load.readings if reading.at >= newest.at - RECENT)
    needed = ceil(lately / policy.slots) if policy.slots else min(1, lately)
    return min(count, max(desired, needed, policy.min_instances))


def _comes_again(verdict: Verdict, out: list[Verdict], count: int, desired: int) -> bool:
    """Whether the rest, with the load of those that go, would be over a scale-out rule's threshold."""
    rule = verdict.rule
    return any(
        other.rule.metric == rule.metric
        and other.rule.per_instance
        and other.rule.holds(
            (verdict.highest if rule.per_instance else verdict.highest / count) * count / desired
        )
        for other in out
    )
