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


def select_absences(connection: Connection) -> list[tuple[float, float | None]]:
    """From when to when, in seconds since the epoch, the oldest first. The last has no end: whoever reads
    knows whether a Poorwill runs after the last line.

    A Poorwill that ended orderly says so. One that was killed wrote its last line some time before: from then
    on nobody knows that it ran.
    """
    known = select(event.c.id, event.c.at_us, event.c.kind).where(
        event.c.service == "", event.c.kind.in_((Kind.UP.value, Kind.DOWN.value))
    )
    found: list[tuple[float, float | None]] = []
    began = False
    for number, at, kind in connection.execute(known.order_by(event.c.id)):
        if kind == Kind.DOWN.value:
            following = _neighbour(connection, number, later=True)
            if following is not None:
                found.append((at / 1e6, following[1] / 1e6))
        elif began:
            start, stop = max(pairwise(_coming(connection, number, at)), key=lambda gap: gap[1] - gap[0])
            found.append((start / 1e6, stop / 1e6))
        began = kind == Kind.UP.value
    last = connection.execute(select(event.c.at_us).order_by(event.c.id.desc()).limit(1)).scalar_one_or_none()
    if last is not None:
        found.append((last / 1e6, None))
    return found


def _coming(connection: Connection, up: int, at: int) -> list[int]:
    """The times of the lines that the new one may have written up to its UP, and of the one before them."""
    found, here = [at], up
    while found[-1] >= at - COMING and (before := _neighbour(connection, here, later=False)):
        here, wall = before
        found.append(wall)
    return found[::-1]


def _neighbour(connection: Connection, number: int, *, later: bool) -> Line | None:
    if later:
        beside = select(event.c.id, event.c.at_us).where(event.c.id > number).order_by(event.c.id)
    else:
        beside = select(event.c.id, event.c.at_us).where(event.c.id < number).order_by(event.c.id.desc())
    row = connection.execute(beside.limit(1)).first()
    return None if row is None else (row[0], row[1])
