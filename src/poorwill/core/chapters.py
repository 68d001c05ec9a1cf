"""The lines about one instance, cut where one life of it ends and the next begins.

Where THERE and GONE are written they alone say so. A journal from before there were any is cut by what was
concluded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from poorwill.core.note import Note

OPENS = ("start", "there", "adopt", "ready")
"""What is written only of something that is there, or about to be."""

OVER = ("stopped", "crashed", "done")

CLOSES = ("gone", *OVER, "failed")

KINDS = ("start", "started", "ready", "adopt", "stop", *OVER, "failed", "there", "gone")
"""Every kind of line that is read here."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """The lines of one life, oldest first. ``stray`` says that its beginning is missing."""

    notes: tuple[Note, ...]
    stray: bool = False

    def find(self, *kinds: str) -> Note | None:
        """The first line of any of these kinds."""
        return next((note for note in self.notes if note.kind in kinds), None)

    @property
    def seen(self) -> bool:
        """Whether it was ever seen to be there."""
        return self.find("there", "ready", "adopt") is not None

    @property
    def there(self) -> Note | None:
        """Which line tells most of its beginning: the first with the provider's time, or the first."""
        lines = [note for note in self.notes if note.kind == "there"]
        told = (note for note in lines if note.detail.get("since") is not None)
        return next(told, lines[0] if lines else None)

    @property
    def life(self) -> str:
        """The provider's name of it; empty while that is not known."""
        names = (str(note.detail.get("life") or "") for note in self.notes if note.kind == "there")
        return next(filter(None, names), "")

    @property
    def end(self) -> Note | None:
        """The line that closed it; None when it goes on."""
        last = self.notes[-1]
        if last.kind == "gone":
            return last
        if self.find("there") is not None:
            return None
        closing = next((note for note in reversed(self.notes) if note.kind in CLOSES), None)
        stopping = self.find("failed") is closing and last.kind == "stop"
        return None if stopping else closing

    @property
    def may_go_on(self) -> bool:
        """A start that failed may still have to be stopped: then it lasted until it was."""
        end = self.end
        return end is not None and end.kind == "failed"

    def plus(self, note: Note) -> Chapter:
        return Chapter((*self.notes, note), self.stray)


def chapters(notes: Iterable[Note]) -> list[Chapter]:
    """The lives of one instance, from all its lines in the order in which they were written."""
    found: list[Chapter] = []
    for note in notes:
        if note.kind not in KINDS:
            continue
        last = found[-1] if found else None
        if last is not None and _belongs(last, note):
            found[-1] = last.plus(note)
        elif note.kind in OPENS:
            found.append(Chapter((note,), stray=last is None and note.kind == "ready"))
        elif last is None and (note.kind == "gone" or note.kind in OVER):
            found.append(Chapter((note,), stray=True))
    return found


def _belongs(last: Chapter, note: Note) -> bool:
    """Whether the line is about the life that came last."""
    life, known = str(note.detail.get("life") or ""), last.life
    if last.end is None:
        other = bool(life and known and life != known)
        return not (other and note.kind in ("there", "gone"))
    if note.kind == "there":  # a place may lose sight of what it has, and find it again
        return last.end.kind == "gone" and bool(life) and life == known
    return last.may_go_on and note.kind in ("stop", *OVER)
