"""When no Poorwill ran, as far as the lines of the journal tell."""

from __future__ import annotations

from itertools import pairwise

from sqlalchemy import Connection, select

from poorwill.store.event import Kind
from poorwill.store.schema import event

COMING = 60_000_000
"""Microseconds before its UP in which a Poorwill that comes may write already."""

Line = tuple[int, int]
"""The number of a line, and its time in microseconds."""


def select_absences(connection: Connection, since: float, until: float) -> list[tuple[float, float | None]]:
    """From when to when, in seconds since the epoch, the oldest first: all that reach into this time.

    The last has no end: whoever reads knows whether a Poorwill runs after the last line.

    A Poorwill that ended orderly says so. One that was killed wrote its last line some time before: from then
    on nobody knows that it ran.
    """
    found: list[tuple[float, float | None]] = []
    began: int | None = None
    for number, at, kind in _comings_and_goings(connection, round(since * 1e6), round(until * 1e6)):
        if kind == Kind.DOWN.value:
            following = _neighbour(connection, number, later=True)
            if following is not None:
                found.append((at / 1e6, following[1] / 1e6))
        elif began is not None:
            told = _coming(connection, began, number, at)
            start, stop = max(pairwise(told), key=lambda gap: gap[1] - gap[0])
            found.append((start / 1e6, stop / 1e6))
        began = number if kind == Kind.UP.value else None
    last = connection.execute(select(event.c.at_us).order_by(event.c.id.desc()).limit(1)).scalar_one_or_none()
    if last is not None:
        found.append((last / 1e6, None))
    return found


def _comings_and_goings(connection: Connection, begin: int, end: int) -> list[tuple[int, int, str]]:
    """Each UP and DOWN of this time, with the last before it and the first after it."""
    known = select(event.c.id, event.c.at_us, event.c.kind).where(event.c.service == "")
    found: set[tuple[int, int, str]] = set()
    for kind in (Kind.UP.value, Kind.DOWN.value):
        own = known.where(event.c.kind == kind)
        before = own.where(event.c.at_us < begin).order_by(event.c.id.desc()).limit(1)
        after = own.where(event.c.at_us >= end).order_by(event.c.id).limit(1)
        for part in (before, own.where(event.c.at_us >= begin, event.c.at_us < end), after):
            found |= {(row[0], row[1], row[2]) for row in connection.execute(part)}
    return sorted(found)


def _coming(connection: Connection, before: int, up: int, at: int) -> list[int]:
    """The times of the lines that the new one may have written up to its UP, and of the one ahead of them.

    ``before`` is the UP of the one before it.
    """
    found, here = [at], up
    while here > before and found[-1] >= at - COMING:
        beside = _neighbour(connection, here, later=False)
        if beside is None:
            break
        here, wall = beside
        found.append(wall)
    return found[::-1]


def _neighbour(connection: Connection, number: int, *, later: bool) -> Line | None:
    if later:
        beside = select(event.c.id, event.c.at_us).where(event.c.id > number).order_by(event.c.id)
    else:
        beside = select(event.c.id, event.c.at_us).where(event.c.id < number).order_by(event.c.id.desc())
    row = connection.execute(beside.limit(1)).first()
    return None if row is None else (row[0], row[1])
