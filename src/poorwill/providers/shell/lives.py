"""What is remembered of each instance that scripts start: nobody else can tell one life from the next."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from poorwill.errors import Temporary


class Phase(StrEnum):
    """How far a life has come. STARTED: the script has ended well; ASKED: the stop script has."""

    STARTING = "starting"
    STARTED = "started"
    RUNNING = "running"
    STOPPING = "stopping"
    ASKED = "asked"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Life:
    """``at`` is the wall clock when the phase began; ``boot`` this host's, since a port or a job that was
    seen before a reboot says nothing after it.
    """

    id: str
    phase: Phase
    at: float
    boot: str


class Lives:
    """One small file for each instance."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def instances(self) -> set[str]:
        return {file.stem for file in self._folder.glob("*.life")}

    def get(self, instance: str) -> Life | None:
        """None when nothing is known, and when the file cannot be understood: then the place itself tells."""
        try:
            found = json.loads((self._folder / f"{instance}.life").read_text())
            return Life(str(found["id"]), Phase(found["phase"]), float(found["at"]), str(found["boot"]))
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None

    def put(self, instance: str, life: Life) -> None:
        """Raises ``Temporary`` when it cannot be written."""
        draft = self._folder / f"{instance}.life.new"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_text(json.dumps(asdict(life)))
            draft.replace(self._folder / f"{instance}.life")
        except OSError as error:
            raise Temporary(
                f"{draft} cannot be written: {error.strerror}",
                hint="make room, or give this user the right to write there",
            ) from error
