"""Times of which nothing is known, because no Poorwill ran."""

from __future__ import annotations

from collections.abc import Iterator

from poorwill.core.spans import Span, minus
from poorwill.store.archive import Archive
from poorwill.store.event import Kind

LEAST = 60.0
"""Seconds; a restart is no gap."""


def gaps(archive: Archive, since: float, until: float, now: float, *, watched: bool) -> tuple[Span, ...]:
    """Within this time. ``watched`` says that a Poorwill runs ``now``. One that was killed is known to have
    run until the last line that it wrote.
    """
    if since >= until:
        return ()
    left = minus([(since, until)], _known(archive, now, watched=watched))
    return tuple((start, stop) for start, stop in left if stop - start >= LEAST)


def _known(archive: Archive, now: float, *, watched: bool) -> Iterator[Span]:
    """From when until when a Poorwill ran, as far as the journal goes back."""
    first = archive.first()
    if first is None:
        return
    begun: float | None = first.at
    for one in archive.between((Kind.UP, Kind.DOWN), 0.0, now + 1.0):
        if begun is not None:
            yield begun, (one.at if one.kind is Kind.DOWN else _line_before(archive, one.id, begun))
        begun = one.at if one.kind is Kind.UP else None
    if begun is not None:
        last = archive.events(limit=1, newest_first=True)[0].at
        yield begun, (now if watched else last)


def _line_before(archive: Archive, number: int, since: float) -> float:
    """When the line was written that comes before one; ``since`` where it is missing."""
    found = archive.events(after=max(0, number - 2), limit=1)
    return found[0].at if found and found[0].id < number else since
