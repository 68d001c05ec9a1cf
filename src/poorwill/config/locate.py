"""Where the state folder of a configuration is, even when the rest of it cannot be used right now.

Commands that only talk to a running ``poorwill up`` need no more: somebody in the middle of an edit, or
without the variables that ``up`` was started with, must still be able to put things to sleep.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from poorwill.config.document import Document
from poorwill.config.load import read_document
from poorwill.config.spec import Settings
from poorwill.config.zone import parse_zone, system_timezone
from poorwill.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """``timezone`` is the name of an existing zone; this machine's when the file names none that exists."""

    state: Path
    timezone: str


def locate(path: Path, env: Mapping[str, str] = os.environ) -> Whereabouts:
    """Raises ConfigError when the file is no YAML, or its ``state`` cannot be told."""
    document = read_document(path, env)
    troubles = [trouble for loc, trouble in document.troubles if loc[:1] == ("state",)]
    state = document.value.get("state", Settings.model_fields["state"].default)
    if troubles or not isinstance(state, str | Path) or not str(state).strip():
        message = troubles[0].message if troubles else "expected a folder such as ./poorwill-state"
        place = document.values.get(("state",))
        line, column = (place.line, place.column) if place else (0, 0)
        raise ConfigError([Problem(str(path), line, column, "state", message)])
    return Whereabouts(path.absolute().parent / Path(state).expanduser(), _zone(document))


def _zone(document: Document) -> str:
    try:
        return parse_zone(document.value.get("timezone"))
    except ValueError:
        return system_timezone()
