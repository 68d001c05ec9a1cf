"""What is billed is what ran: never less, and more only by what nobody could know at the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.acceptance.chaos.record import Happened, Record

from poorwill.core.ledger import lives
from poorwill.store.event import Event, Kind

LESS = 0.1
"""Seconds by which two clocks of this host may differ over a life."""
MORE = 5.0
"""Seconds that a start may be billed beyond its process's own word: Python has to be loaded before it can
write, and an end has to be seen.
"""


def broken(record: Record) -> Iterator[str]:
    last = max((event.at for event in record.events), default=0.0)
    billed = lives(record.events, last)
    for name in record.diaries:
        true = [life for life in record.lives(name) if life.end is not None]
        starts = sum(event.kind is Kind.START and event.service == name for event in record.events)
        ran = sum((life.end or life.start) - life.start for life in true)
        mine = [life for life in billed if life.payer == name]
        paid = sum((last if life.end is None else life.end) - life.start for life in mine)
        if any(life.end is None for life in mine):
            yield f"{name} is billed on, and everything is over"
        if paid < ran - LESS * len(true):
            yield f"{name} ran {ran:.2f} s, and {paid:.2f} s are billed"
        if paid > ran + MORE * starts + _unseen(record):
            yield f"{name} ran {ran:.2f} s in {len(true)} lives, and {paid:.2f} s are billed"


def _unseen(record: Record) -> float:
    """For how long nobody could look."""
    return sum(one.until - one.at for one in record.happened(Happened.CONTROL_PLANE_KILLED))


def spoiled(record: Record) -> Iterator[Record]:
    def without(*kinds: Kind) -> Record:
        return replace(record, events=tuple(one for one in record.events if one.kind not in kinds))

    yield without(Kind.STOPPED)
    yield without(Kind.START, Kind.READY, Kind.STOP, Kind.STOPPED, Kind.CRASHED)
    late = (_later(one, 60.0) if one.kind in (Kind.STOPPED, Kind.CRASHED) else one for one in record.events)
    yield replace(record, events=tuple(late))


def _later(event: Event, seconds: float) -> Event:
    return replace(event, at=event.at + seconds, mono=event.mono + seconds)
