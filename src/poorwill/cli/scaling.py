"""The lines of ``why`` about load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from poorwill.core.duration import duration_text

Json = dict[str, Any]


def scaling(scale: Json) -> Iterator[str]:
    """``scale`` is the part of that name of what the admin API says about a service."""
    if scale["target"]:
        yield _target(scale["target"])
    for rule in scale["rules"]:
        yield _rule(rule)
    if scale["trouble"]:
        yield f"! no instance goes: {scale['trouble']}"


def _target(target: Json) -> str:
    aim = f"target: {target['metric']} {target['each_text']} per instance"
    if target["stable"] is None:
        return f"{aim}; nothing measured yet"
    panic = ", panicking: no instance goes" if target["panicking"] else ""
    return (
        f"{aim}; in total {target['stable_text']} over {duration_text(target['stable_window'])}, "
        f"{target['panic_text']} over {duration_text(target['panic_window'])}{panic}"
    )


def _rule(rule: Json) -> str:
    side = "above" if rule["rule"] == "scale_out" else "at most"
    stat = rule["metric"] if rule["stat"] != "mean" else f"{rule['metric']} (mean)"
    aim = f"{rule['rule']}: {stat} over {duration_text(rule['window'])}"
    if rule["trouble"]:
        value = "cannot be told"
    elif rule["value"] is None:
        value = "has no value yet"
    else:
        value = f"is {rule['value_text']}"
    held = "not" if rule["held"] is None else f"for {duration_text(round(rule['held']))}"
    return (
        f"{aim} {value}; {side} {rule['threshold_text']} {held}, of {duration_text(rule['duration'])}: "
        f"then {rule['action']}"
    )
