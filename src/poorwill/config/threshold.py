"""What stands in a rule of a scale policy: metrics, thresholds with their units, and actions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from poorwill.config.complaint import expected, wrong
from poorwill.config.source import SourceConfig
from poorwill.config.units import parse_duration
from poorwill.core.metric import METRICS, Metric, Unit
from poorwill.core.scale_rule import Deed, ScaleAction

STATS = {"mean": 0.0, "p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0}

_NUMBER = r"(?P<number>\d+(\.\d+)?)"
_PER = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}
_BYTES = {"B": 1.0} | {
    f"{sign}{i}B": (1024.0 if i else 1000.0) ** power
    for power, sign in enumerate("KMGT", 1)
    for i in ("", "i")
}
_UNITS = {
    Unit.SECONDS: "a duration such as 3s or 3000ms",
    Unit.PER_SECOND: "a rate such as 5/s or 10/min",
    Unit.COUNT: "a number such as 4",
    Unit.PERCENT: "a percentage such as 80%",
    Unit.BYTES: "a size such as 20GB",
    Unit.NUMBER: "a number such as 0.5",
}
_SIGNS = {
    Unit.SECONDS: ("ms", "s"),
    Unit.PER_SECOND: ("/s", "/min"),
    Unit.PERCENT: ("%",),
    Unit.BYTES: ("MB", "GB"),
}
_DEEDS = {
    Deed.ADD: "add_instance(1)",
    Deed.REMOVE: "remove_instance(1)",
    Deed.REMOVE_ALL: "remove_all_instances",
    Deed.SET: "set_instances(2)",
}


def near(word: str, known: Iterable[str]) -> str:
    """A hint: the nearest of what there is, or all of it."""
    names = list(known)
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    begun = [name for name in names if len(plain) > 2 and (name.startswith(plain) or plain.startswith(name))]
    close = begun or difflib.get_close_matches(plain, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"


def metric(value: Any) -> str | SourceConfig:
    """The name of one that Poorwill measures; anything else has to be a source."""
    if isinstance(value, Mapping | SourceConfig):
        return SourceConfig.model_validate(value)
    what = "a metric such as response_latency, or {url: ..., name: ...}"
    if not isinstance(value, str):
        raise expected(what)
    name = value.strip()
    if name not in METRICS:
        hint = "a metric of your own: {url: http://127.0.0.1:8000/metrics, name: " + name + "}"
        raise wrong(f"there is no metric {name}", hint if ":" in name else near(name, METRICS))
    return name


def measured(written: str | SourceConfig) -> Metric:
    """What the core calls it."""
    if isinstance(written, str):
        return METRICS[written]
    return Metric(written.source.name, text=written.label)


def threshold(value: object, unit: Unit) -> float:
    """The number in the metric's unit. Raises PydanticCustomError when the unit is missing or another's."""
    what = _UNITS[unit]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise expected(what)
    text = str(value).strip()
    if unit is Unit.SECONDS:
        try:
            return parse_duration(value)
        except PydanticCustomError as error:
            raise expected(what, _unit_hint(text, unit) or (error.context or {}).get("hint", "")) from None
    patterns = {
        Unit.PER_SECOND: rf"{_NUMBER} ?/ ?(?P<unit>{'|'.join(_PER)})",
        Unit.PERCENT: rf"{_NUMBER} ?%",
        Unit.BYTES: rf"{_NUMBER} ?(?P<unit>[KkMGT]?i?B)",
        Unit.COUNT: _NUMBER,
        Unit.NUMBER: r"(?P<number>-?\d+(\.\d+)?(e[+-]?\d+)?)",
    }
    match = re.fullmatch(patterns[unit], text, re.ASCII)
    if match is None:
        raise expected(what, _unit_hint(text, unit))
    number = float(match["number"])
    if unit is Unit.PER_SECOND:
        return number / _PER[match["unit"]]
    if unit is Unit.BYTES:
        return number * _BYTES.get(match["unit"].replace("k", "K"), 1.0)
    return number


def _unit_hint(text: str, unit: Unit) -> str:
    """A number alone gets the units that would do."""
    bare = re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII)
    signs = _SIGNS.get(unit)
    if bare and signs:
        return f"write its unit: {' or '.join(f'{text}{sign}' for sign in signs)}"
    return "without a unit" if unit in (Unit.COUNT, Unit.NUMBER) and re.match(r"\d", text) else ""


def action(value: object) -> ScaleAction:
    """``add_instance(2)``. Without a number it is one; ``remove_all_instances`` has none."""
    if isinstance(value, ScaleAction):
        return value
    what = "an action such as add_instance(1)"
    match = re.fullmatch(r"(?P<deed>\w+)\s*(\(\s*(?P<count>-?\w*)\s*\))?", str(value).strip())
    if not isinstance(value, str) or match is None:
        raise expected(what, f"there are {', '.join(_DEEDS.values())}")
    if match["deed"] not in _DEEDS:
        examples = {str(deed): example for deed, example in _DEEDS.items()}
        close = difflib.get_close_matches(match["deed"].lower().replace("-", "_"), examples, n=1, cutoff=0.5)
        hint = f"did you mean {examples[close[0]]}?" if close else f"there are {', '.join(_DEEDS.values())}"
        raise wrong(f"there is no action {match['deed']}", hint)
    deed, count = Deed(match["deed"]), match["count"]
    if deed is Deed.REMOVE_ALL:
        if count:
            raise wrong("remove_all_instances takes no number", "write remove_instance(1), or no number")
        return ScaleAction(deed, 0)
    if count is None and deed is Deed.SET:
        raise wrong("set_instances needs a number", "write set_instances(2)")
    least = 0 if deed is Deed.SET else 1
    if count and not (count.isascii() and count.isdigit() and int(count) >= least):
        raise expected(f"an action such as {_DEEDS[deed]}", f"the number is at least {least}")
    return ScaleAction(deed, int(count or 1))


MetricName = Annotated[
    str | SourceConfig,
    PlainValidator(metric, json_schema_input_type=str | SourceConfig),
]
Action = Annotated[
    ScaleAction,
    PlainValidator(action),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "examples": list(_DEEDS.values())}),
]
