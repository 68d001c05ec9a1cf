"""What a person should hear about a cloud's habits, each once."""

from __future__ import annotations

from collections.abc import Callable

from poorwill.providers.http import story
from poorwill.providers.http.description import Description
from poorwill.providers.http.lives import Record


class Warnings:
    """``note`` writes a line into the journal."""

    def __init__(self, about: Description, note: Callable[[str], None]) -> None:
        self._about = about
        self._note = note
        self._has_begun = False
        self._deletion_told: dict[str, float] = {}

    def say(self, line: str) -> None:
        self._note(line)

    def before_a_start(self) -> None:
        """That sleep saves nothing here, before it is paid for."""
        if self._has_begun:
            return
        self._has_begun = True
        about = self._about
        if about.off.saves == "nothing":
            more = f": {about.off.note}" if about.off.note else ""
            self._note(f"a stop at {about.name} saves no money{more}")
        if about.off.saves == "destroys":
            self._note(f"a stop at {about.name} destroys the instance with its data")

    def of_deletion(self, name: str, record: Record, wall: float) -> None:
        """Once a day, that the cloud is about to delete what has been off for long."""
        words = story.deletion(record, wall, self._about.off.deleted_after)
        if words and abs(wall - self._deletion_told.get(name, 0.0)) >= story.DAY:
            self._deletion_told[name] = wall
            self._note(f"{name}: {words}")
