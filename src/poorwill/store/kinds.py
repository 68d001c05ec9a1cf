"""What the books ask of the journal beside lives: terms, where it begins, and whether all of it is there."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from poorwill.store.event import Event, Kind, event_of
from poorwill.store.schema import event


def events_of(connection: Connection, kind: Kind) -> list[Event]:
    """All of a kind of which there are few, whoever they are about; the oldest first. Look-ups, no walk."""
    service = select(func.min(event.c.service).label("name")).cte("service", recursive=True)
    following = select(func.min(event.c.service)).where(event.c.service > service.c.name).scalar_subquery()
    service = service.union_all(select(following).where(service.c.name.is_not(None)))
    found = select(event).join(service, event.c.service == service.c.name).where(event.c.kind == kind.value)
    return [event_of(row) for row in connection.execute(found.order_by(event.c.id)).mappings()]


def first_event(connection: Connection) -> Event | None:
    """Where the journal begins."""
    row = connection.execute(select(event).order_by(event.c.id).limit(1)).mappings().first()
    return None if row is None else event_of(row)


def missing_lines(connection: Connection, since: float, until: float) -> int:
    """How many lines of this time are not there any more: their numbers, which have no gaps, tell.

    What is missing before the first line of all is told by the number of that.
    """
    begin, end = round(since * 1_000_000), round(until * 1_000_000)
    ids = select(event.c.id).limit(1)
    before = ids.where(event.c.at_us < begin).order_by(event.c.at_us.desc(), event.c.id.desc())
    after = ids.where(event.c.at_us >= end).order_by(event.c.at_us, event.c.id)
    first = connection.execute(before).scalar_one_or_none()
    last = connection.execute(after).scalar_one_or_none()
    first = first or connection.execute(select(func.min(event.c.id))).scalar_one()
    last = last or connection.execute(select(func.max(event.c.id))).scalar_one()
    if first is None or last is None or last <= first:
        return 0
    there = select(func.count()).select_from(event).where(event.c.id.between(first, last))
    return int(last - first + 1 - connection.execute(there).scalar_one())
