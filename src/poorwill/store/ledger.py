"""What must be known to bill a time: the lives that were in it, on which terms, and what was measured.

Each life is told whole, from before the time to after it, so that a life is the same whichever time is asked
for. Nothing here walks the journal: a look-up in an index for each service, instance and kind, and then the
lines that matter and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from poorwill.core.ledger import CLOSES, KINDS, OPENS
from poorwill.store.event import Event, Kind, event_of
from poorwill.store.queries import known_places
from poorwill.store.schema import event

_SPANS = (Kind.METER, Kind.USED)
"""Written at the end of what they are about, which may have begun before the time."""


@dataclass(frozen=True, slots=True)
class _Range:
    """The first and the last event of a time; ``last`` is below ``first`` when there is none."""

    first: int
    last: int

    @property
    def inside(self) -> ColumnElement[bool]:
        return event.c.id.between(self.first, self.last)


def select_ledger(connection: Connection, since: float, until: float) -> list[Event]:
    """The events that matter for a time, and of earlier and later ones as many as it takes.

    A journal that is cut off at its begin begins with its first event, whatever that is about.
    """
    span, places = _span(connection, since, until), known_places(connection)
    found: dict[int, Event] = {}
    for part in (
        _cut_off(connection),
        _program(connection, span),
        _services(connection, span, {service for service, _ in places}),
        _instances(connection, span, [place for place in places if place[1]]),
    ):
        found |= {each.id: each for each in part}
    return [found[number] for number in sorted(found)]


def _span(connection: Connection, since: float, until: float) -> _Range:
    begin, end = round(since * 1_000_000), round(until * 1_000_000)
    inside = select(func.min(event.c.id), func.max(event.c.id))
    first, last = connection.execute(inside.where(event.c.at_us >= begin, event.c.at_us < end)).one()
    if first is not None:
        return _Range(first, last)
    before = select(event.c.id).where(event.c.at_us < begin).order_by(event.c.at_us.desc(), event.c.id.desc())
    last = connection.execute(before.limit(1)).scalar_one_or_none() or 0
    return _Range(last + 1, last)


def _cut_off(connection: Connection) -> Iterator[Event]:
    first = connection.execute(select(event).order_by(event.c.id).limit(1)).mappings().first()
    if first is not None and first["id"] > 1:
        yield event_of(first)


def _program(connection: Connection, span: _Range) -> Iterator[Event]:
    """When the program came and went in that time, and its own terms and reviews."""
    for kind in (Kind.UP, Kind.DOWN, Kind.TERMS, Kind.REVIEW):
        own = (event.c.service == "", event.c.kind == kind.value)
        inside = select(event).where(*own, span.inside)
        newest = select(event).where(*own).order_by(event.c.id.desc()).limit(1)
        wanted = [inside, newest.where(event.c.id < span.first)]
        if kind in (Kind.UP, Kind.DOWN):
            wanted.append(newest)  # whether it runs now
        for found in wanted:
            yield from map(event_of, connection.execute(found).mappings())


def _services(connection: Connection, span: _Range, names: Iterable[str]) -> Iterator[Event]:
    """Terms and what was in force before, what was measured and the line after it, and the last phase."""
    for service in names:
        of = {kind: (event.c.service == service, event.c.kind == kind.value) for kind in Kind}
        newest = select(event).order_by(event.c.id.desc()).limit(1)
        wanted = [
            select(event).where(*of[Kind.TERMS], span.inside),
            newest.where(*of[Kind.TERMS], event.c.id < span.first),
            newest.where(*of[Kind.PHASE]),
        ]
        for kind in _SPANS:
            after = select(event).where(*of[kind], event.c.id > span.last)
            wanted += [
                select(event).where(*of[kind], span.inside),
                after.order_by(event.c.id).limit(1),
            ]
        for found in wanted:
            yield from map(event_of, connection.execute(found).mappings())


def _instances(connection: Connection, span: _Range, places: Iterable[tuple[str, str]]) -> Iterator[Event]:
    """All lines about lives, from the last that ended before that time to the first that began after it."""
    for service, instance in places:
        floor, ceiling = _bounds(connection, span, service, instance)
        wanted = select(event).where(
            event.c.service == service, event.c.instance == instance, event.c.kind.in_(KINDS)
        )
        if floor is not None:
            wanted = wanted.where(event.c.id > floor)
        if ceiling is not None:
            wanted = wanted.where(event.c.id <= ceiling)
        rows = connection.execute(wanted.order_by(event.c.id)).mappings()
        yield from _whole(map(event_of, rows), begun=floor is None)


def _whole(events: Iterable[Event], *, begun: bool) -> Iterator[Event]:
    """Without the rest of a life of which the begin was left out."""
    for each in events:
        begun = begun or each.kind in OPENS
        if begun:
            yield each


def _bounds(
    connection: Connection, span: _Range, service: str, instance: str
) -> tuple[int | None, int | None]:
    """What ended the life before the last before that time, and what ended the second after it.

    A life has at most one line of each kind that ends one: the second of a kind is another life's.
    """
    before: list[int] = []
    after: list[int] = []
    for kind in CLOSES:
        of = (event.c.service == service, event.c.instance == instance, event.c.kind == kind)
        second = select(event.c.id).where(*of).limit(1).offset(1)
        earlier = second.where(event.c.id < span.first).order_by(event.c.id.desc())
        later = second.where(event.c.id > span.last).order_by(event.c.id)
        before += connection.execute(earlier).scalars()
        after += connection.execute(later).scalars()
    return max(before, default=None), min(after, default=None)
