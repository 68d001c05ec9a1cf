"""The books of a time: all that bills, budgets and reviews are made of, read from the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor
from pathlib import Path
from typing import Protocol

from poorwill import clock
from poorwill.accounts.kept import absences, kept
from poorwill.accounts.past import meters_of, stretches_of
from poorwill.core.bill import Line, lines
from poorwill.core.costs import Cost, Fixed, cost_from, fixed
from poorwill.core.ledger import lives
from poorwill.core.life import Life
from poorwill.core.meter import Meter
from poorwill.core.model import Now
from poorwill.core.price import price_from
from poorwill.core.saved import Saved, saved
from poorwill.core.spans import Span, clip, total, union
from poorwill.core.statement import Statement, statement_from
from poorwill.core.stretch import Stretch
from poorwill.core.terms import Terms, in_force
from poorwill.store.event import Event
from poorwill.store.folder import holder
from poorwill.store.journal import read_only

PRESENT = 60.0
"""Seconds by which what a caller takes for now may be old."""


class Time(Protocol):
    """From when to when, in seconds since the epoch; a ``core.period.Period`` is one."""

    @property
    def start(self) -> float: ...

    @property
    def stop(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Books:
    """``since`` and ``until`` are what was asked for, ``now`` is when. ``begins`` is the first line of the
    journal: before it nobody can say anything; None when it is empty. ``missing`` lines of this time are
    not in it any more, and ``lost`` lines before its first. ``absent`` is when no Poorwill ran, ``kept`` by
    payer when it was configured and one did. ``corrections`` are the terms as they were stated whose price
    counts for a time before that.
    """

    since: float
    until: float
    now: float
    begins: float | None = None
    lives: tuple[Life, ...] = ()
    terms: tuple[Terms, ...] = ()
    meters: tuple[Meter, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    costs: tuple[Cost, ...] = ()
    statement: Statement = field(default_factory=Statement)
    missing: int = 0
    lost: int = 0
    absent: tuple[Span, ...] = ()
    corrections: tuple[Terms, ...] = ()
    kept: Mapping[str, Sequence[Span]] = field(default_factory=dict)

    def lines(self, time: Time) -> tuple[Line, ...]:
        """Who was there in this time, which is within that of the books, and what it cost."""
        return lines(self.lives, self.terms, self.meters, time.start, min(time.stop, self.now), self.now)

    def fixed(self, time: Time) -> tuple[Fixed, ...]:
        """What is paid whether anything is awake or not, so far."""
        return fixed(self.costs, time.start, min(time.stop, self.now))

    def saved(self, time: Time, told: Sequence[Line]) -> tuple[Saved, ...]:
        """``told`` are the lines of this time."""
        return saved(told, self.lives, self.terms, self.kept, time.start, min(time.stop, self.now))

    def alone(self, time: Time) -> float:
        """For how many seconds of this time no Poorwill ran, since the journal begins."""
        return total(union(clip(self.absent, time.start, min(time.stop, self.now))))


def read(folder: Path, since: float, until: float, now: float) -> Books:
    """``folder`` is the state folder, whether or not a Poorwill runs. Blocks.

    Raises StateError when there is no journal, or none that this version can read.
    """
    watched, here = holder(folder) is not None, _clocks(now)
    with read_only(folder) as archive:
        known, first = archive.terms(), archive.first()
        missing = archive.missing(since, until)
        absent = absences(archive.absences(since, until), now, watched=watched)
        told = _terms(known)
        terms = in_force(told, now)
        events = archive.ledger(since, until)
        found = lives(events, now, watched=watched, clock=here)
        start, stop = _reach(
            found, {one.payer for one in terms if one.kind == "machine"}, (since, until), now
        )
        if (start, stop) != (since, until):
            events = archive.ledger(start, stop)
            found = lives(events, now, watched=watched, clock=here)
    return Books(
        since=since,
        until=until,
        now=now,
        begins=first.at if first else None,
        lives=found,
        terms=terms,
        meters=meters_of(events),
        stretches=stretches_of(events),
        costs=_costs(known),
        statement=_statement(known),
        missing=missing,
        lost=first.id - 1 if first else 0,
        absent=absent,
        corrections=tuple(one for one in told if one.corrects),
        kept=kept(known, found, absent, now),
    )


def _clocks(wall: float) -> Now | None:
    """What they said at this moment, if it is a moment ago; else another time is asked about."""
    read_at = clock.now()
    ago = read_at.wall - wall
    return Now(wall, read_at.mono - ago, read_at.boot) if abs(ago) < PRESENT else None


def _reach(
    found: Iterable[Life], machines: set[str], time: tuple[float, float], now: float
) -> tuple[float, float]:
    """The time with all of the machine lives that reach into it: who shares them may have come and gone
    outside of it. Seconds in whole, since what a provider says may differ by a hair from the journal.
    """
    start, stop = since, until = time
    for life in found:
        end = now if life.end is None else life.end
        if life.payer in machines and life.start < until and end > since:
            start, stop = min(start, floor(life.start)), max(stop, ceil(end))
    return start, stop


def stated(folder: Path) -> tuple[Statement, tuple[Terms, ...]]:
    """What was stated last about money as a whole, and all terms. Blocks; raises StateError as ``read``."""
    with read_only(folder) as archive:
        events = archive.terms()
    return _statement(events), _terms(events)


def _statement(stated: Sequence[Event]) -> Statement:
    return next((statement_from(one.detail) for one in reversed(stated) if not one.service), Statement())


def _terms(stated: Iterable[Event]) -> tuple[Terms, ...]:
    return tuple(
        Terms(
            payer=event.service,
            since=event.at,
            price=price_from(event.detail["price"]) if event.detail["price"] else None,
            machine=event.detail["on"],
            kind=event.detail["kind"],
            place=event.detail.get("place", ""),
            counts_from=event.detail.get("since"),
        )
        for event in stated
        if event.service
    )


def _costs(stated: Sequence[Event]) -> tuple[Cost, ...]:
    """Each item for as long as it was stated: until the next line that says all of them."""
    whole = [event for event in stated if not event.service]
    ends: list[float | None] = [*(event.at for event in whole[1:]), None]
    return tuple(
        cost_from(known, event.at, end)
        for event, end in zip(whole, ends[: len(whole)], strict=True)
        for known in event.detail["costs"]
    )
