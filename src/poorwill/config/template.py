"""Texts with ``{placeholders}``, in URLs, headers, queries and bodies.

Only a name in braces is one: ``{ id }`` and ``{podId: 1}`` of a GraphQL query stay as they are.
``{gpus:int}`` alone in a body becomes a number. What an option leaves unset is left out with its key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

Words = Mapping[str, str | None]
"""Placeholder → its value; None for an option that was left unset."""

_NAME = re.compile(r"\{([a-z][a-z0-9_]*)(:int)?\}")

_UNSET = object()


def placeholders(text: str) -> frozenset[str]:
    return frozenset(match[1] for match in _NAME.finditer(text))


def fill(text: str, words: Words, *, url: bool = False) -> str:
    """The text with its placeholders filled in; in a URL each value is quoted as one part of it."""

    def value(match: re.Match[str]) -> str:
        found = words.get(match[1]) or ""
        return quote(found, safe="") if url else found

    return _NAME.sub(value, text)


def fill_tree(tree: Any, words: Words) -> Any:
    """A body or a table of texts with its placeholders filled in."""
    filled = _filled(tree, words)
    return None if filled is _UNSET else filled


def texts(tree: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text in a body, with the path of keys and positions that leads to it."""
    if isinstance(tree, str):
        yield at, tree
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from texts(value, (*at, str(key)))
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from texts(value, (*at, index))


def _filled(tree: Any, words: Words) -> Any:
    if isinstance(tree, str):
        whole = _NAME.fullmatch(tree)
        if whole and words.get(whole[1]) is None:
            return _UNSET
        text = fill(tree, words)
        return int(text) if whole and whole[2] else text
    if isinstance(tree, Mapping):
        filled = {key: _filled(value, words) for key, value in tree.items()}
        return {key: value for key, value in filled.items() if value is not _UNSET}
    if isinstance(tree, list | tuple):
        return [value for value in (_filled(one, words) for one in tree) if value is not _UNSET]
    return tree
