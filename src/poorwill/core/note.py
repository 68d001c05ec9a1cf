"""A line of the journal as the ledger sees it, and how much time went by between two of them.

The wall clock can be set; the monotonic clock cannot, but begins anew with each boot of the host. So between
two lines of one boot went by what the monotonic clock says, and between two boots what the wall clock says:
nothing, if it was set back meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol


class Note(Protocol):
    """``at`` is seconds since the epoch; ``mono`` can be compared within one ``boot`` only."""

    @property
    def id(self) -> int: ...
    @property
    def at(self) -> float: ...
    @property
    def mono(self) -> float: ...
    @property
    def boot(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def instance(self) -> str: ...
    @property
    def detail(self) -> Mapping[str, Any]: ...


def elapsed(before: Note, after: Note) -> float:
    """Seconds that went by from one line to a later one."""
    if before.boot == after.boot:
        return max(0.0, after.mono - before.mono)
    return max(0.0, after.at - before.at)


def positions(notes: Sequence[Note]) -> list[float]:
    """How long after the first of these lines each of them was written, by all the lines in between.

    What a boot's last line says of the wall clock counts: a clock that is wrong at boot is soon put right.
    """
    found: list[float] = []
    began, last = 0.0, notes[0]
    for _, run in groupby(notes, key=lambda note: note.boot):
        lines = list(run)
        if found:
            at_first = lines[-1].at - elapsed(lines[0], lines[-1])
            began = found[-1] + max(0.0, at_first - last.at)
        found += [began + elapsed(lines[0], note) for note in lines]
        last = lines[-1]
    return found
