"""What a YAML parser's complaint means to somebody who has never read its source."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

_QUOTES = "put the text in quotes"

_WORDS: tuple[tuple[str, str, str], ...] = (
    # (pattern on "problem | context", message, hint); the first that fits
    (
        r"mapping values are not allowed",
        "a second ': ' where none can be",
        "check the indentation, or " + _QUOTES,
    ),
    (r"character '\\t'", "a tab, where only spaces can be", "indent with spaces"),
    (
        r"undefined alias '(.*)'",
        "*{0} means a piece named elsewhere, and there is none",
        _QUOTES + ': "*{0}"',
    ),
    (r"character '(.)' that cannot start", "text cannot begin with {0}", _QUOTES),
    (
        r"unknown escape character '(.)'",
        "\\{0} means nothing in double quotes",
        "use single quotes, or write \\\\",
    ),
    (r"quoted scalar", "a quote is opened here and never closed", "close the quote"),
    (r"flow sequence", "a [ is opened here and not closed properly", "check commas and the closing ]"),
    (r"flow mapping", "a {{ is opened here and not closed properly", "check commas and the closing }"),
    (r"could not find expected ':'", "a key without its colon", "write key: value"),
    (r"another document", "a second document begins here", "remove the --- or ... line"),
    (
        r"<block end>|block (mapping|collection|sequence)|block node",
        "this does not fit here",
        "keys of one group begin in the same column; check the indentation",
    ),
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem at a place of the text; line and column from 1."""

    line: int
    column: int
    message: str
    hint: str


def trouble(error: YAMLError, text: str) -> Trouble:
    """The parser's error in plain words."""
    if isinstance(error, ReaderError):
        before = text[: error.position]
        message = f"a character that cannot be in a text file: U+{ord(text[error.position]):04X}"
        return Trouble(before.count("\n") + 1, error.position - before.rfind("\n"), message, "remove it")
    if not isinstance(error, MarkedYAMLError):
        return Trouble(0, 0, "this is not YAML", str(error))
    said = f"{error.problem or ''} | {error.context or ''}"
    opened = error.context_mark if re.search("quoted scalar|flow", said) else None
    if "unknown escape" in said or "could not find expected ':'" in said:
        opened = error.context_mark if "expected ':'" in said else None
    mark = opened or error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    written = text.splitlines()[line - 1] if 0 < line <= len(text.splitlines()) else ""
    if bare := re.search(r":\s+(\[[0-9A-Fa-f:]+\]:\d+|\{\w+\}:[\w{}]+)", written):
        signs = "brackets" if bare[1].startswith("[") else "braces"
        return Trouble(
            line, bare.start(1) + 1, f"an address in {signs} must be in quotes", f'write "{bare[1]}"'
        )
    for pattern, message, hint in _WORDS:
        if found := re.search(pattern, said):
            words = [group or "" for group in found.groups()]
            return Trouble(line, column, message.format(*words), hint.format(*words) if words else hint)
    return Trouble(line, column, f"this is not YAML: {error.problem or error.context}", "")
