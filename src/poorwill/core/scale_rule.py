"""One rule of a scale policy, and for how long it has held.

A scale-out rule holds while its metric is *above* its threshold, a scale-in rule while it is *at or below*
it. A rule fires when it has held, without a break, for its ``duration``:

- The last number of instances must have had its chance: the duration counts anew from the last change of
  it. With a ``cooldown`` it does not, and the rule is only silent for that long after a change.
- Time in which nobody looked, longer than ``GAP``, ends it: what nobody saw does not count. So does a value
  that cannot be read. A restart of Poorwill therefore begins anew.
- Seconds in which no request ended say nothing about latency and errors as long as requests are open: they
  neither end nor begin anything. With nothing open, nobody waits, and both are 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf

from poorwill.core.duration import duration_text
from poorwill.core.load import Load, Reading
from poorwill.core.metric import MEAN, Kind, Metric, Moment, moments

GAP = 15.0
"""Seconds without a reading, or without a value of a gauge, after which nobody knows any more."""


class Deed(StrEnum):
    ADD = "add_instance"
    REMOVE = "remove_instance"
    REMOVE_ALL = "remove_all_instances"
    SET = "set_instances"


@dataclass(frozen=True, slots=True)
class ScaleAction:
    deed: Deed
    count: int = 1

    def __str__(self) -> str:
        return str(self.deed) if self.deed is Deed.REMOVE_ALL else f"{self.deed}({self.count})"

    def from_(self, count: int) -> int:
        """How many instances there should be after it, of so many."""
        if self.deed is Deed.ADD:
            return count + self.count
        if self.deed is Deed.REMOVE:
            return max(1, count - self.count)
        return 0 if self.deed is Deed.REMOVE_ALL else self.count

    @property
    def to_none(self) -> bool:
        """Whether the last instance goes as well. ``remove_instance`` always leaves one."""
        return self.deed is Deed.REMOVE_ALL or (self.deed is Deed.SET and self.count == 0)


@dataclass(frozen=True, slots=True)
class ScaleRule:
    """``percentile`` MEAN is the mean. ``per_instance``: the metric is divided by the number of instances.
    ``cooldown`` None: the duration counts anew from each change.
    """

    metric: Metric
    threshold: float
    duration: float
    action: ScaleAction
    out: bool = True
    percentile: float = MEAN
    window: float = 10.0
    per_instance: bool = False
    cooldown: float | None = None

    def holds(self, value: float) -> bool:
        return value > self.threshold if self.out else value <= self.threshold

    @property
    def label(self) -> str:
        """What is looked at, as it stands in sentences."""
        stat = f"p{self.percentile:g} of " if self.percentile else ""
        return f"{stat}{self.metric.label}{' per instance' if self.per_instance else ''}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``value`` is the newest there is. ``since`` is from when on the rule has held, at most about its
    duration ago, None when it does not hold; ``highest`` is the highest value meanwhile. ``trouble`` says
    why nobody can tell.
    """

    rule: ScaleRule
    value: float | None = None
    since: float | None = None
    highest: float = 0.0
    fires: bool = False
    trouble: str = ""

    def due_at(self, changed_at: float) -> float | None:
        """When time alone makes it fire; None while it does not hold."""
        if self.since is None:
            return None
        return max(self.since + self.rule.duration, changed_at + (self.rule.cooldown or 0.0))


def judge(rule: ScaleRule, load: Load, count: int, changed_at: float, now: float) -> Verdict:
    """Whether the rule holds and fires, for ``count`` instances, so many since ``changed_at``."""
    if trouble := _trouble(rule.metric, load, now):
        return Verdict(rule, trouble=trouble)
    if not load.readings:
        return Verdict(rule)
    if rule.metric.kind is Kind.COUNT:
        verdict = _counted(rule, load.readings, changed_at, now)
    else:
        verdict = _held(rule, load.readings, max(1, count), changed_at, now)
    due = verdict.due_at(changed_at)
    fires = due is not None and now >= due
    return Verdict(rule, verdict.value, verdict.since, verdict.highest, fires, verdict.trouble)


def _trouble(metric: Metric, load: Load, now: float) -> str:
    if metric.name in load.troubles:
        return f"{metric.label} cannot be read: {load.troubles[metric.name]}"
    if load.readings and now - load.readings[-1].at > GAP:
        return f"nothing has been measured for more than {duration_text(GAP)}"
    return ""


def _held(
    rule: ScaleRule, readings: tuple[Reading, ...], count: int, changed_at: float, now: float
) -> Verdict:
    """Goes back in time from now to where the rule did not hold, or far enough."""
    anew = rule.cooldown is None
    enough = max(now - rule.duration, changed_at if anew else -inf)
    value: float | None = None
    since: float | None = None
    highest, known_from = -inf, now
    for moment in moments(readings, rule.metric, rule.window, rule.percentile, enough - 2 * GAP):
        if known_from - moment.at > GAP or (anew and moment.at <= changed_at and since is None):
            value = _per(rule, moment, count) if value is None and since is None else value
            break
        this = _per(rule, moment, count)
        if this is None:
            known_from = _seen_from(rule.metric, moment) if rule.metric.by_requests else known_from
            continue
        value = this if value is None else value
        if not rule.holds(this):
            break
        since, highest, known_from = moment.at, max(highest, this), _seen_from(rule.metric, moment)
        if since <= enough:
            break
    if since is not None and anew:
        since = max(since, changed_at)
    missing = value is None and rule.metric.kind is Kind.GAUGE
    trouble = f"{rule.metric.label} has no value" if missing else ""
    return Verdict(rule, value, since, highest, trouble=trouble)


def _per(rule: ScaleRule, moment: Moment, count: int) -> float | None:
    if moment.value is None or not rule.per_instance:
        return moment.value
    return moment.value / count


def _seen_from(metric: Metric, moment: Moment) -> float:
    """From when on a reading tells: what is counted, it knows for its whole span; else only near its end."""
    counted = metric.by_requests or metric.kind is Kind.RATE
    return moment.since if counted else max(moment.since, moment.at - GAP)


def _counted(rule: ScaleRule, readings: tuple[Reading, ...], changed_at: float, now: float) -> Verdict:
    """For a number of requests in the whole duration: more than the threshold is known as soon as it is so,
    and not more only when all of the duration was watched.
    """
    anew = changed_at if rule.cooldown is None else -inf
    begin = max(now - rule.duration, anew)
    total, since, known_from = 0, None, now
    for reading in reversed(readings):
        if reading.at <= begin or known_from - reading.at > GAP:
            break
        total += reading.begun
        known_from = max(reading.at - reading.span, anew)
        if not rule.out and total <= rule.threshold:
            since = known_from
    if rule.out and total > rule.threshold:
        since = now - rule.duration - 1
    return Verdict(rule, float(total), since, float(total))
