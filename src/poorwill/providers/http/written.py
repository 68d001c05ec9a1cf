"""How paths, tests, patterns and values are written in a description, as types of its models."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import ConfigDict, PlainSerializer, PlainValidator, WithJsonSchema

from poorwill.config.complaint import expected, wrong
from poorwill.config.jsonpath import Json, Path, parse_path
from poorwill.config.template import Words, fill
from poorwill.providers.http.jsontest import Test, parse_test

# Built when the first description is read: most configurations have none.
MODEL = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)


def _read(parse: Callable[[str], Any], what: str) -> Callable[[object], Any]:
    def read(value: object) -> Any:
        if not isinstance(value, str):
            raise expected(what)
        try:
            return parse(value)
        except ValueError as error:
            raise wrong(str(error)) from error

    return read


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"the pattern cannot be read: {error}") from error


def _written(value: Any) -> str:
    return str(value.pattern if isinstance(value, re.Pattern) else value.text)


def _as_text(parse: Callable[[str], Any], what: str) -> tuple[object, ...]:
    return (
        PlainValidator(_read(parse, what)),
        PlainSerializer(_written, when_used="json"),
        WithJsonSchema({"type": "string"}),
    )


PathText = Annotated[Path, *_as_text(parse_path, "a path such as $.data.status")]
TestText = Annotated[Test, *_as_text(parse_test, "a test such as $.code == 0")]
PatternText = Annotated[re.Pattern[str], *_as_text(_pattern, "a regular expression")]


@dataclass(frozen=True, slots=True)
class Value:
    """A value read from an answer: what stands at ``path``, or the first group of ``match`` in it; or,
    without a path, the text ``made`` of other words.
    """

    path: Path | None = None
    match: re.Pattern[str] | None = None
    made: str = ""

    def of(self, record: Json, words: Words) -> str | None:
        """None when it is not there."""
        if self.path is None:
            return fill(self.made, words)
        found = self.path.of(record, words)
        if found is None or isinstance(found, dict | list) or found == "":
            return None
        text = str(found)
        if self.match is None:
            return text
        inside = self.match.search(text)
        return inside[1] if inside else None


def _value(value: object) -> Value:
    if isinstance(value, Value):
        return value
    if isinstance(value, str):
        return Value(path=_read(parse_path, "")(value)) if value.startswith("$") else Value(made=value)
    if isinstance(value, dict) and set(value) == {"at", "match"}:
        match = _read(_pattern, "a regular expression")(value["match"])
        if match.groups < 1:
            raise wrong("the pattern needs a group in parentheses: that is the value")
        return Value(_read(parse_path, "a path such as $.data.ip")(value["at"]), match)
    raise expected('a path such as $.data.ip, or {at: $.data.url, match: "https://([^/:]+)"}')


def _value_written(value: Value) -> Any:
    if value.path is None:
        return value.made
    if value.match is None:
        return value.path.text
    return {"at": value.path.text, "match": value.match.pattern}


ValueText = Annotated[
    Value,
    PlainValidator(_value),
    PlainSerializer(_value_written, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"at": {"type": "string"}, "match": {"type": "string"}},
                    "required": ["at", "match"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
