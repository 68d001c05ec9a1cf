"""YAML text → plain values, remembering where each key and value stands.

Works on ruamel's node tree instead of its constructed objects: nodes have exact marks, all duplicate keys
can be told at once, and text stays text (``no``, dates, keys that look like numbers).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from poorwill.config.complaint import Loc
from poorwill.config.environment import fill
from poorwill.config.syntax import Trouble, trouble

_TAG = "tag:yaml.org,2002:"
_TEXT = {f"{_TAG}str", f"{_TAG}timestamp"}
_KNOWN = _TEXT | {f"{_TAG}{kind}" for kind in ("int", "float", "bool", "null", "map", "seq", "merge")}
_LARGEST = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, from 1. ``file`` is named where it is another one than that of the document."""

    line: int
    column: int
    file: str = ""


@dataclass(slots=True)
class Document:
    """``value`` is dicts, lists, str, int, float, bool and None. ``written`` is each scalar as it stands in
    the file; ``from_environment`` those that references were filled into. ``troubles`` are the problems
    that reading found, ``doubtful`` the paths whose values mean nothing because of them.
    """

    value: Any = None
    keys: dict[Loc, Place] = field(default_factory=dict)
    values: dict[Loc, Place] = field(default_factory=dict)
    written: dict[Loc, str] = field(default_factory=dict)
    from_environment: set[Loc] = field(default_factory=set)
    troubles: list[tuple[Loc, Trouble]] = field(default_factory=list)
    doubtful: set[Loc] = field(default_factory=set)


class Unreadable(Exception):
    """The text is not YAML; only the first place is known. Never leaves the config room."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


def read(text: str, env: Mapping[str, str]) -> Document:
    """Raises Unreadable when the text is not one YAML document."""
    try:
        root = YAML(typ="rt").compose(text)
        reader = _Reader(env)
        if root is not None:
            reader.document.value = reader.value(root, ())
    except YAMLError as error:
        raise Unreadable(trouble(error, text)) from error
    except RecursionError as error:
        raise Unreadable(Trouble(1, 1, "nested too deeply", "a service needs about five levels")) from error
    return reader.document


class _Reader:
    def __init__(self, env: Mapping[str, str]) -> None:
        self.document = Document()
        self._env = env
        self._open: set[int] = set()
        self._read = 0

    def value(self, node: Node, loc: Loc) -> Any:
        self._read += 1
        here = _place(node)
        self.document.values[loc] = here
        if self._read > _LARGEST or id(node) in self._open:
            message = "an alias (*name) repeats itself without end"
            raise Unreadable(Trouble(here.line, here.column, message, ""))
        if str(node.tag) not in _KNOWN:
            hint = "remove it, or put the text in quotes"
            self._say(loc, here, f"the tag {node.tag} means nothing here", hint)
            self.document.doubtful.add(loc)
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, loc)
            if isinstance(node, SequenceNode):
                return [self.value(item, (*loc, index)) for index, item in enumerate(node.value)]
            return self._scalar(node, loc) if isinstance(node, ScalarNode) else None
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, loc: Loc) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[Node] = []
        for key, value in node.value:
            here = _place(key)
            if str(key.tag) == f"{_TAG}merge":
                merged += value.value if isinstance(value, SequenceNode) else [value]
            elif not isinstance(key, ScalarNode):
                hint = 'put text that begins with [ or { in quotes: "{port}"'
                self._say(loc, here, "a key must be text", hint)
            elif key.value in result:
                first = self.document.keys[*loc, key.value].line
                message = f"{key.value} is written twice, first on line {first}"
                self._say((*loc, key.value), here, message, "keep one of them")
            else:
                self.document.keys[*loc, key.value] = here
                result[key.value] = self.value(value, (*loc, key.value))
        for source in merged:
            self._merge(source, loc, result)
        return result

    def _merge(self, source: Node, loc: Loc, result: dict[str, Any]) -> None:
        if not isinstance(source, MappingNode):
            hint = "write <<: *name, where &name stands before a group of keys"
            self._say(loc, _place(source), "<< takes over keys, and here are none", hint)
            return
        for key, value in source.value:
            if str(key.tag) == f"{_TAG}merge":
                self._merge(value, loc, result)
            elif isinstance(key, ScalarNode) and key.value not in result:
                self.document.keys[*loc, key.value] = _place(key)
                result[key.value] = self.value(value, (*loc, key.value))

    def _scalar(self, node: ScalarNode, loc: Loc) -> Any:
        text = str(node.value)
        self.document.written[loc] = text
        tag = str(node.tag)
        if tag in _TEXT:
            filled = fill(text, self._env)
            for message, hint in filled.problems:
                self._say(loc, _place(node), message, hint)
                self.document.doubtful.add(loc)
            if filled.changed:
                self.document.from_environment.add(loc)
            return filled.text
        return _plain(tag.removeprefix(_TAG), text)

    def _say(self, loc: Loc, place: Place, message: str, hint: str) -> None:
        self.document.troubles.append((loc, Trouble(place.line, place.column, message, hint)))


def _plain(kind: str, text: str) -> Any:
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in {"true", "yes", "on", "y"}
    digits = text.replace("_", "")
    try:
        if kind == "int":
            return int(digits, 0 if digits.lstrip("+-")[:2].lower() in {"0x", "0o", "0b"} else 10)
        return float(digits.lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return text  # an explicit tag that does not fit (!!int soon), or more digits than Python reads


def _place(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
