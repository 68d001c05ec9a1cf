"""What must be remembered of an instance at a cloud, because the cloud does not tell it.

One small file for each instance in the service's private folder: which of its lives this is, whether it
was on when last seen, since when it has been off, and what Poorwill asked for last.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Record:
    """``seen`` is False before the first look. ``asked`` is "start", "stop" or empty, ``accepted`` says that
    the cloud agreed, ``asked_at`` and ``off_since`` are readings of the wall clock.
    """

    life: int = 0
    seen: bool = False
    on: bool = False
    asked: str = ""
    accepted: bool = False
    asked_at: float = 0.0
    off_since: float | None = None


class Lives:
    """Kept in ``folder``; when that cannot be written, in memory, which is said once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._memory: dict[str, Record] = {}
        self._complained = False

    def get(self, name: str) -> Record:
        """What is known; a new record when nothing is, or what was kept cannot be read."""
        if self._complained and name in self._memory:
            return self._memory[name]
        try:
            kept = json.loads(self._file(name).read_text(encoding="utf-8"))
            return Record(**kept)
        except (OSError, ValueError, TypeError):
            return self._memory.get(name, Record())

    def put(self, name: str, record: Record) -> None:
        if record == self.get(name):
            return
        self._memory[name] = record
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._folder / f"{name}.life.new"
            draft.write_text(json.dumps(asdict(record)), encoding="utf-8")
            draft.replace(self._file(name))
        except OSError as error:
            if not self._complained:
                import structlog  # late: `check` and its like have no use for it

                structlog.get_logger().warning(
                    "what is known of an instance cannot be kept", instance=name, error=str(error)
                )
            self._complained = True

    def names(self) -> tuple[str, ...]:
        """The instances that are remembered."""
        kept = {file.name.removesuffix(".life") for file in self._folder.glob("*.life")}
        return tuple(sorted(kept | self._memory.keys()))

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.life"
