"""A budget that is used up wakes nothing, also for a control plane that has just begun; and nobody is told so
before it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.acceptance.chaos.record import USED_UP, Answer, Asked, Happened, Line, Record
from tests.acceptance.chaos.tenants import SPENDS, THRIFTY

from poorwill.store.event import Event, Kind

NOTICED = 1.0
"""Seconds in which it is noticed that it is used up."""
MORE = 5.0
"""Seconds that a start may be billed beyond its process's own word, as in ``ledger_true``."""


def broken(record: Record) -> Iterator[str]:
    starts = [one for one in record.events if one.kind is Kind.START and one.service == THRIFTY]
    for start in starts:
        if (ran := _ran(record, start.mono, _another_month(record, start.mono))) > SPENDS + NOTICED:
            yield f"started at {start.mono:.3f}, after it had been there for {ran:.1f} s of {SPENDS:g}"
    for one in record.asked:
        if one.detail != USED_UP:
            continue
        most = _ran(record, one.ended) + MORE * sum(start.mono < one.ended for start in starts)
        if one.service != THRIFTY or most < SPENDS:
            yield f"{one.id} was told that the budget is used up, and {most:.1f} s are"


def _another_month(record: Record, until: float) -> float:
    """Since when it may be another one: fate sets the clock by weeks."""
    return max((one.until for one in record.happened(Happened.CLOCK) if one.at < until), default=0.0)


def _ran(record: Record, until: float, since: float = 0.0) -> float:
    """How long its processes had been there at a moment, by their own word, of those that began since."""
    lives = [life for life in record.lives(THRIFTY) if since <= life.start < until]
    return sum(min(until if life.end is None else life.end, until) - life.start for life in lives)


def spoiled(record: Record) -> Iterator[Record]:
    told = Asked("get-90", "get", THRIFTY, 20.0, 20.1, Answer.TOLD, USED_UP)
    yield replace(record, asked=(*record.asked, told))
    lived = (Line(THRIFTY, 90, at, what) for at, what in ((1.0, "start"), (1.0 + SPENDS + 2, "end")))
    late = Event(900, 1e9 + 60, 60.0, "boot", Kind.START, THRIFTY, f"{THRIFTY}-1")
    yield replace(record, lines=(*record.lines, *lived), events=(*record.events, late))
