"""What ``why`` says about load: each rule with what it sees and for how long it has held, or the target."""

from __future__ import annotations

from typing import Any

from poorwill.control.stamp import stamp
from poorwill.core.metric import Kind
from poorwill.core.metric_text import value_text
from poorwill.core.model import Now
from poorwill.core.scale import Scaled
from poorwill.core.scale_rule import Verdict
from poorwill.core.target_mode import Aim

Json = dict[str, Any]


def scaled_json(scaled: Scaled, now: Now) -> Json:
    """Durations are seconds, values in the unit that is named beside them; texts are for people."""
    return {
        "desired": scaled.desired,
        "reason": scaled.reason,
        "trouble": scaled.trouble or None,
        "until": stamp(scaled.until, now),
        "rules": [_rule(verdict, now) for verdict in scaled.verdicts],
        "target": _target(scaled.aim, now) if scaled.aim else None,
    }


def _rule(verdict: Verdict, now: Now) -> Json:
    rule, unit = verdict.rule, verdict.rule.metric.unit
    held = None if verdict.since is None else round(min(rule.duration, max(0.0, now.mono - verdict.since)), 3)
    return {
        "rule": "scale_out" if rule.out else "scale_in",
        "metric": rule.label,
        "stat": f"p{rule.percentile:g}" if rule.percentile else "mean",
        "window": rule.duration if rule.metric.kind is Kind.COUNT else rule.window,
        "unit": str(unit),
        "value": verdict.value,
        "value_text": None if verdict.value is None else value_text(verdict.value, unit),
        "threshold": rule.threshold,
        "threshold_text": value_text(rule.threshold, unit),
        "held": held,
        "duration": rule.duration,
        "action": str(rule.action),
        "fires": verdict.fires,
        "trouble": verdict.trouble or None,
    }


def _target(aim: Aim, now: Now) -> Json:
    target, unit = aim.target, aim.target.metric.unit
    return {
        "metric": target.metric.label,
        "each": target.each,
        "each_text": value_text(target.each, unit),
        "stable": aim.stable,
        "stable_text": None if aim.stable is None else value_text(aim.stable, unit),
        "stable_window": target.stable,
        "panic": aim.panic,
        "panic_text": None if aim.panic is None else value_text(aim.panic, unit),
        "panic_window": target.panic,
        "panicking": aim.panicking,
        "fewer_at": stamp(aim.lower_at, now),
        "trouble": aim.trouble or None,
    }
