"""Where a value stands in an answer: a small, safe part of JSONPath, without expressions or loops.

``$.data.list[0].uuid``, ``$.ports["8000/tcp"]``, ``$.items[?uuid=={instance}].state``. Placeholders stand
in quoted keys and in what is compared; they are filled in when the path is followed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from poorwill.config.template import Words, fill, placeholders

Json = Any

_STEP = re.compile(
    r"""\.(?P<name>[\w-]+)
    | \[\s*(?P<index>-?\d+)\s*\]
    | \[\s*(?P<key>"[^"]*"|'[^']*')\s*\]
    | \[\?\s*(?:@\.)?(?P<field>[\w.-]+)\s*==\s*(?P<value>"[^"]*"|'[^']*'|[^\]"'\s]+)\s*\]""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as it is written in a description; ``loose`` ones come from a placeholder and are compared
    as text, because an id may be a number in the answer.
    """

    value: Json
    loose: bool = False

    def equals(self, found: Json, words: Words) -> bool:
        if self.loose:
            return isinstance(found, str | int) and str(found) == fill(self.value, words)
        # In Python True == 1, and a cloud's code 1 is not its success true.
        return isinstance(found, bool) == isinstance(self.value, bool) and bool(found == self.value)


@dataclass(frozen=True, slots=True)
class Filter:
    """The first element of a list whose field has this value."""

    field: tuple[str, ...]
    value: Literal


Step = str | int | Filter


@dataclass(frozen=True, slots=True)
class Path:
    """Follow it with ``of``. ``text`` is how it is written."""

    text: str
    steps: tuple[Step, ...]

    def of(self, value: Json, words: Words) -> Json:
        """What stands there; None when nothing does."""
        for step in self.steps:
            value = _follow(value, step, words)
            if value is None:
                return None
        return value

    @property
    def placeholders(self) -> frozenset[str]:
        return placeholders(self.text)


def parse_path(text: str) -> Path:
    """Raises ValueError in plain words."""
    if not text.startswith("$"):
        raise ValueError("a path begins with $, such as $.data.status")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"the path cannot be read from {text[at:]!r} on")
        steps.append(_step(match))
        at = match.end()
    return Path(text, tuple(steps))


def parse_literal(text: str) -> Literal:
    """``0``, ``true``, ``null``, ``"text"`` or ``{placeholder}``. Raises ValueError."""
    bare = text.strip()
    if len(bare) > 1 and bare[0] in "\"'" and bare[-1] == bare[0]:
        return Literal(bare[1:-1], loose=bool(placeholders(bare)))
    if bare in ("true", "false", "null"):
        return Literal({"true": True, "false": False, "null": None}[bare])
    if re.fullmatch(r"-?\d+", bare):
        return Literal(int(bare))
    if re.fullmatch(r"-?\d+\.\d+", bare):
        return Literal(float(bare))
    if re.fullmatch(r"\{[a-z][a-z0-9_]*\}", bare):
        return Literal(bare, loose=True)
    raise ValueError(f'{bare} is neither a number nor true, false, null or a text in quotes: "{bare}"')


def _step(match: re.Match[str]) -> Step:
    if match["name"] is not None:
        return match["name"]
    if match["index"] is not None:
        return int(match["index"])
    if match["key"] is not None:
        return match["key"][1:-1]
    return Filter(tuple(match["field"].split(".")), parse_literal(match["value"]))


def _follow(value: Json, step: Step, words: Words) -> Json:
    if isinstance(step, str):
        return value.get(fill(step, words)) if isinstance(value, Mapping) else None
    if not isinstance(value, list):
        return None
    if isinstance(step, int):
        return value[step] if -len(value) <= step < len(value) else None
    return next((one for one in value if _fits(one, step, words)), None)


def _fits(one: Json, wanted: Filter, words: Words) -> bool:
    for key in wanted.field:
        one = one.get(key) if isinstance(one, Mapping) else None
    return wanted.value.equals(one, words)
