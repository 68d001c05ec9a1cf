"""Those who look at a service without wanting it, and what a service does about each kind of them.

Who is of which kind stands in ``lists/bystanders.toml``. Envoy itself recognises them (``marks``) and answers
most of them (``asides``), asleep and awake: who may not wake a service may not keep it awake.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from poorwill.errors import GatewayError

_FILE = Path(__file__).parent / "lists" / "bystanders.toml"


class Kind(StrEnum):
    """Of what kind a bystander is; each is also a key of the list. The first that fits counts."""

    HEALTH_CHECK = "health_checks"
    MONITOR = "monitors"
    NUISANCE = "nuisance"
    CRAWLER = "crawlers"
    SCANNER = "scanners"
    PREVIEW = "previews"


class Answer(StrEnum):
    """What a kind is told while the service sleeps: 503, or 200 because that is as it should be. WAKE makes
    them like anybody.
    """

    UNAVAILABLE = "unavailable"
    ASLEEP = "asleep"
    WAKE = "wake"


DEFAULT: Mapping[Kind, Answer] = MappingProxyType(
    {
        Kind.HEALTH_CHECK: Answer.ASLEEP,
        Kind.MONITOR: Answer.ASLEEP,
        Kind.NUISANCE: Answer.UNAVAILABLE,
        Kind.CRAWLER: Answer.UNAVAILABLE,
        Kind.SCANNER: Answer.UNAVAILABLE,
    }
)


@dataclass(frozen=True, slots=True)
class Bystanders:
    """What one service does. ``also`` adds to the list: parts of user agents, and for NUISANCE patterns of
    paths. ``welcome`` are such parts and patterns that are like anybody, whatever the list says.
    """

    answers: Mapping[Kind, Answer] = field(default_factory=lambda: DEFAULT)
    also: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)
    welcome: tuple[str, ...] = ()

    def below(self, prefix: str) -> Bystanders:
        """The same for a service whose visitors write ``prefix`` in front of its paths."""
        also = {kind: tuple(_below(prefix, one) for one in more) for kind, more in self.also.items()}
        return replace(self, also=also, welcome=tuple(_below(prefix, one) for one in self.welcome))


def _below(prefix: str, name: str) -> str:
    return prefix + name if name.startswith("/") else name


def read_list(file: Path = _FILE) -> dict[Kind, tuple[str, ...]]:
    """Parts of user agents, and for NUISANCE patterns of paths, by kind. Raises GatewayError."""
    found: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    try:
        for name, groups in tomllib.loads(file.read_text("utf-8")).items():
            for group in groups:
                found[Kind(name)] += _names(group, "paths" if name == Kind.NUISANCE else "agents")
    except (ValueError, TypeError, KeyError) as error:
        raise GatewayError(f"{file.name} cannot be used: {error}", hint="see its first lines") from error
    return {kind: tuple(dict.fromkeys(names)) for kind, names in found.items()}


def _names(group: Mapping[str, Any], key: str) -> list[str]:
    if group.keys() != {"why", "source", key}:
        raise ValueError(f"a group has why, source and {key}, not {', '.join(group)}")
    return [str(name) for name in group[key]]


LIST = read_list()


def agents_regex(parts: Iterable[str]) -> str:
    """User agents with one of these parts in them, in any letter case; RE2 over the whole header."""
    return f"(?i).*(?:{'|'.join(map(re.escape, parts))}).*"


def paths_regex(patterns: Iterable[str]) -> str:
    """Paths that one of these patterns covers, in any letter case, with doubled slashes and any query."""
    globs = "|".join(glob_regex(pattern, slash="/+", part="[^/?]*", anything="[^?]*") for pattern in patterns)
    return rf"(?i)(?:{globs})(?:\?.*)?"


def glob_regex(glob: str, slash: str = "/", part: str = "[^/]*", anything: str = ".*") -> str:
    """A glob as RE2 over the whole path: ``**`` and a final ``*`` cross slashes, other ``*`` do not."""
    if glob.endswith("*") and not glob.endswith("**"):
        glob += "*"
    special = {"/": slash, "*": part, "**": anything}
    return "".join(special.get(piece) or re.escape(piece) for piece in re.split(r"(\*\*|\*|/)", glob))
