"""All events of a kind of which there are few, whoever they are about: look-ups in an index, no walk."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from poorwill.store.event import Event, Kind, event_of
from poorwill.store.schema import event


def events_of(connection: Connection, kind: Kind) -> list[Event]:
    """The oldest first."""
    service = select(func.min(event.c.service).label("name")).cte("service", recursive=True)
    following = select(func.min(event.c.service)).where(event.c.service > service.c.name).scalar_subquery()
    service = service.union_all(select(following).where(service.c.name.is_not(None)))
    found = select(event).join(service, event.c.service == service.c.name).where(event.c.kind == kind.value)
    return [event_of(row) for row in connection.execute(found.order_by(event.c.id)).mappings()]


def first_event(connection: Connection) -> Event | None:
    """Where the journal begins."""
    row = connection.execute(select(event).order_by(event.c.id).limit(1)).mappings().first()
    return None if row is None else event_of(row)
