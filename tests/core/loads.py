"""Readings, one a second, and policies for the tests of scaling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from poorwill.core.load import Load, Reading
from poorwill.core.metric import METRICS
from poorwill.core.scale_rule import Deed, ScaleAction, ScaleRule


def reading(at: float, **counted: Any) -> Reading:
    """Of one second. ``latency`` is that of all that ended, ``gauges`` as they are."""
    latency, ended = counted.pop("latency", None), counted.pop("ended", 0)
    if latency is not None:
        ended = ended or 1
        counted |= {"seconds": latency * ended, "took": ((latency, ended),)}
    return Reading(at=at, span=counted.pop("span", 1.0), ended=ended, **counted)


def load(*readings: Reading, **troubles: str) -> Load:
    return Load(tuple(readings), troubles)


def seconds(values: Sequence[dict[str, Any] | None], begin: float = 1.0) -> Load:
    """A reading for each second from ``begin`` on; None where nobody looked."""
    return Load(tuple(reading(begin + at, **value) for at, value in enumerate(values) if value is not None))


def out(metric: str = "response_latency", threshold: float = 3.0, **keys: Any) -> ScaleRule:
    keys = {"duration": 10.0, "window": 1.0, "action": ScaleAction(Deed.ADD, 1), **keys}
    return ScaleRule(METRICS[metric], threshold, **keys)


def inward(metric: str = "response_latency", threshold: float = 1.0, **keys: Any) -> ScaleRule:
    keys = {"duration": 10.0, "window": 1.0, "action": ScaleAction(Deed.REMOVE, 1), **keys}
    return ScaleRule(METRICS[metric], threshold, out=False, **keys)
