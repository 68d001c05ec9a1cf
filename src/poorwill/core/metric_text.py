"""Metrics, rules and changes in words: the same in ``status``, ``why``, the journal and errors."""

from __future__ import annotations

from poorwill.core.duration import duration_text
from poorwill.core.metric import Unit
from poorwill.core.scale_rule import ScaleRule

_SIZES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def value_text(value: float, unit: Unit) -> str:
    """With its unit, at most three digits: ``4.2s``, ``80%``, ``12GB``, ``5.5/s``."""
    if unit is Unit.SECONDS:
        return f"{value * 1000:.3g}ms" if 0 < value < 1 else f"{_plain(value)}s"
    if unit is Unit.PERCENT:
        return f"{_plain(value)}%"
    if unit is Unit.PER_SECOND:
        return f"{_plain(value)}/s"
    if unit is Unit.BYTES:
        sign, size = next(((sign, size) for sign, size in _SIZES if value >= size), ("B", 1.0))
        return f"{_plain(value / size)}{sign}"
    return _plain(value)


def rule_text(rule: ScaleRule) -> str:
    """``response_latency above 3s for 2m``. Without what it is now: a reason changes only with the number."""
    side = "above" if rule.out else "at most"
    threshold = value_text(rule.threshold, rule.metric.unit)
    return f"{rule.label} {side} {threshold} for {duration_text(rule.duration)}"


def change_text(before: int, after: int) -> str:
    return f"{before} → {count_text(after)}"


def count_text(instances: int) -> str:
    return "1 instance" if instances == 1 else f"{instances} instances"


def _plain(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
