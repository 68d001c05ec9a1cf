"""What must hold in an answer: ``$.code == 0``, ``$.success == true``, ``$.ports missing``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from poorwill.config.jsonpath import Json, Literal, Path, parse_literal, parse_path
from poorwill.config.template import Words

_TEST = re.compile(
    r"(?P<path>\$.*?)\s+(?:(?P<word>exists|missing)|(?P<sign>==|!=|in)\s+(?P<value>.+))", re.DOTALL
)

_NOTHING: tuple[Json, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Test:
    """``wanted`` are the values that fit; None asks only whether something is there: null, an empty text
    and an empty list or object are nothing.
    """

    __test__ = False  # its name tells pytest nothing

    text: str
    path: Path
    wanted: tuple[Literal, ...] | None
    negated: bool

    def holds(self, value: Json, words: Words) -> bool:
        found = self.path.of(value, words)
        if self.wanted is None:
            return (found in _NOTHING) == self.negated
        return any(literal.equals(found, words) for literal in self.wanted) != self.negated


def parse_test(text: str) -> Test:
    """Raises ValueError in plain words."""
    match = _TEST.fullmatch(text.strip())
    if match is None:
        raise ValueError("a test is a path and what is expected there, such as $.code == 0 or $.ip exists")
    path = parse_path(match["path"])
    if match["word"]:
        return Test(text, path, None, match["word"] == "missing")
    value = match["value"].strip()
    if match["sign"] != "in":
        return Test(text, path, (parse_literal(value),), match["sign"] == "!=")
    if not (value.startswith("[") and value.endswith("]")):
        raise ValueError('write the values in brackets: $.state in ["on", "ready"]')
    return Test(text, path, tuple(parse_literal(one) for one in value[1:-1].split(",")), False)
