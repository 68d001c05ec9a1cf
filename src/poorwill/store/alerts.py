"""What a person was told about something that is not an instance: one look-up in the index."""

from __future__ import annotations

from sqlalchemy import Connection, select

from poorwill.store.event import Event, Kind, event_of
from poorwill.store.schema import event


def select_alerts(connection: Connection, service: str, since: float) -> list[Event]:
    """The alerts about a service as a whole, or (empty) about the program, since then; oldest first."""
    found = (
        select(event)
        .where(event.c.service == service, event.c.instance == "", event.c.kind == Kind.ALERT.value)
        .where(event.c.at_us >= round(since * 1_000_000))
        .order_by(event.c.id)
    )
    return [event_of(row) for row in connection.execute(found).mappings()]
