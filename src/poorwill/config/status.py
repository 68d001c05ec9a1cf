"""HTTP status codes that mean "ready", as people write them: 200, 2xx, 200-299, or a list of these."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from poorwill.config.complaint import Loc, all_of, expected

_WHAT = "a status code such as 200, 2xx or 200-299"


def parse_status(value: object) -> tuple[tuple[int, int], ...]:
    """Inclusive ranges of status codes."""
    if isinstance(value, list | tuple):
        if not value:
            raise expected(_WHAT)
        return _ranges(value)
    return (_range(value),)


def _ranges(items: Sequence[object]) -> tuple[tuple[int, int], ...]:
    ranges = []
    refused: list[tuple[Loc, PydanticCustomError, object]] = []
    for index, item in enumerate(items):
        try:
            ranges.append(_range(item))
        except PydanticCustomError as error:
            refused.append(((index,), error, item))
    if refused:
        raise all_of(refused)
    return tuple(ranges)


def _range(value: object) -> tuple[int, int]:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise expected(_WHAT)
    text = str(value).strip().lower()
    if match := re.fullmatch(r"([1-5])xx", text):
        low = int(match[1]) * 100
        return low, low + 99
    match = re.fullmatch(r"([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?", text, re.ASCII)
    if match is None:
        raise expected(_WHAT)
    low, high = int(match[1]), int(match[2] or match[1])
    if low > high:
        raise expected(_WHAT, f"the smaller one first: {high}-{low}")
    return low, high


def status_text(ranges: tuple[tuple[int, int], ...]) -> list[int | str]:
    """The ranges as people write them."""
    return [low if low == high else f"{low}-{high}" for low, high in ranges]


_ONE = [
    {"type": "integer", "minimum": 100, "maximum": 599},
    {"type": "string", "pattern": "^([1-5][xX][xX]|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$"},
]
StatusRanges = Annotated[
    tuple[tuple[int, int], ...],
    PlainValidator(parse_status),
    PlainSerializer(status_text, when_used="json"),
    WithJsonSchema({"anyOf": [*_ONE, {"type": "array", "items": {"anyOf": _ONE}, "minItems": 1}]}),
]
