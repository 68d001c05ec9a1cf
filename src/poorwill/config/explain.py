"""Pydantic's complaints → problems in plain words, each pointing at the key or value it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from poorwill.config.complaint import Loc
from poorwill.config.document import Document, Place
from poorwill.config.keys import described, suggestion, unknown_key_hint
from poorwill.config.machine import switches
from poorwill.errors import Problem

_EXPECTED = {
    "string_type": "text",
    "string_pattern_mismatch": "text of the form {pattern}",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "keys with values",
    "mapping_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "dataclass_type": "keys with values",
    "path_type": "a path",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
}
_HINTS = {
    "list_type": "write [one, two], or one on each line with a dash in front",
    "tuple_type": "write [one, two], or one on each line with a dash in front",
}


class Explainer:
    """For one file, under the name that people typed, and the providers whose options it may hold."""

    def __init__(self, file: str, document: Document, providers: Mapping[str, type[BaseModel]]) -> None:
        self._file = file
        self._document = document
        self._providers = providers

    def path(self, error: ErrorDetails) -> Loc:
        """Pydantic's path without the parts that are not in the file (names of union members).

        A missing key is part of it.
        """
        loc = error["loc"]
        here, value = self._walk(loc)
        says_what = error["type"] in {"missing", "wrong"} and not isinstance(value, str)
        missing = says_what and here[-1:] != loc[-1:] and not is_machines_provider(loc)
        return (*here, loc[-1]) if missing and isinstance(loc[-1], str) else here

    def in_file(self, loc: Loc) -> Loc:
        """The path without positions of lists that stand there without brackets, as one item alone may."""
        here: Loc = ()
        for part in loc:
            position = isinstance(part, int) and not isinstance(self._walk(here)[1], list)
            here = here if position else (*here, part)
        return here

    def meant(self, error: ErrorDetails) -> Loc | None:
        """For an unknown key: the key in the same place that was probably meant."""
        parent, name = error["loc"][:-1], str(error["loc"][-1])
        near = suggestion(name, parent, self._providers)
        here, siblings = self._walk(parent)
        return (*here, near) if near and near not in siblings else None

    def problem(self, error: ErrorDetails) -> Problem:
        """The error as a person would say it."""
        path = self.path(error)
        here, _ = self._walk(path)
        message, hint = self._words(error, here)
        about_key = error["type"] == "extra_forbidden" or "[key]" in error["loc"] or here != path
        at = self._at_key(here) if about_key else self._at(here)
        return Problem(at.file or self._file, at.line, at.column, dotted(path), message, hint)

    def told(self, loc: Loc, message: str, hint: str) -> Problem:
        """What was found out about a value elsewhere, with its place."""
        here = self.in_file(loc)
        at = self._at(here)
        return Problem(at.file or self._file, at.line, at.column, dotted(here), message, hint)

    def _words(self, error: ErrorDetails, here: Loc) -> tuple[str, str]:
        kind, context = error["type"], error.get("ctx", {})
        if kind == "missing" and is_machines_provider(error["loc"]):
            names = ", ".join(sorted(switches(self._providers)))
            return "nothing says what switches it on and off", f"add one of {names}, with its options"
        if kind == "missing":
            return "missing", described(self.path(error), self._providers)
        if kind == "extra_forbidden":
            return "unknown key", unknown_key_hint(str(here[-1]), here[:-1], self._providers)
        if kind == "wrong":
            return context["message"] + self._other(error, self._at(here).file), context["hint"]
        if kind == "expected":
            shown = self._key(here) if "[key]" in error["loc"] else self._shown(here)
            return f"expected {context['what']}, got {shown}", self._origin(here) or context["hint"]
        if kind in _EXPECTED:
            what = _EXPECTED[kind].format(**context)
            return f"expected {what}, got {self._shown(here)}", self._origin(here) or self._hint(kind, here)
        # A ValueError of a provider's own model, or a kind that nobody met yet.
        said = str(context.get("error", error["msg"]))
        return said[:1].lower() + said[1:], self._origin(here)

    def _other(self, error: ErrorDetails, file: str) -> str:
        context = error["ctx"]
        if context["other"] is None:
            return ""
        above = error["loc"][: len(error["loc"]) - context["depth"]]
        other = (*above, *context["other"])
        here, _ = self._walk(other)
        at = self._at(here)
        elsewhere = f"{at.file or self._file}, " if at.file != file else ""
        return f" ({elsewhere}line {at.line}, column {at.column})" if here == other else ""

    def _origin(self, here: Loc) -> str:
        return "the value comes from the environment" if here in self._document.from_environment else ""

    def _hint(self, kind: str, here: Loc) -> str:
        value = self._walk(here)[1]
        if kind == "string_type" and isinstance(value, dict) and list(value.values()) == [None]:
            return f'put it in quotes: "{{{next(iter(value))}}}"'  # YAML reads a bare {port} as a key
        return _HINTS.get(kind, "")

    def _key(self, here: Loc) -> str:
        return f"'{here[-1]}'"

    def _shown(self, here: Loc) -> str:
        """The value as it stands in the file: what an environment variable held is not shown."""
        value = self._walk(here)[1]
        if value is None:
            return "nothing"
        if isinstance(value, dict):
            return "keys with values" if value else "{}"
        if isinstance(value, list):
            return "a list" if value else "[]"
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in self._document.written[here])
        text = text if len(text) <= 60 else f"{text[:57]}..."
        return f"'{text}'" if isinstance(value, str) else text

    def _walk(self, loc: Loc) -> tuple[Loc, Any]:
        """The part of a path that exists in the file, and the value there."""
        here: Loc = ()
        value = self._document.value
        for part in loc:
            inside = part in value if isinstance(value, dict) else False
            if isinstance(value, list) and isinstance(part, int):
                inside = 0 <= part < len(value)
            if inside:
                here, value = (*here, part), value[part]
        return here, value

    def _at(self, here: Loc) -> Place:
        value = self._walk(here)[1]
        # What stands on several lines, or nowhere, is better pointed at by its key.
        whole = isinstance(value, dict | list) or value is None
        return self._at_key(here) if whole else self._document.values[here]

    def _at_key(self, here: Loc) -> Place:
        # An item of a list has no key.
        place = self._document.keys.get(here) or self._document.values.get(here)
        return place or Place(0, 0)


def is_machines_provider(loc: Loc) -> bool:
    """Whether this is what no file contains: the provider of a machine stands beside its other keys."""
    return loc[:1] == ("machines",) and loc[2:] == ("run",)


def dotted(loc: Loc) -> str:
    """``services.notes.hosts[0]``."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
