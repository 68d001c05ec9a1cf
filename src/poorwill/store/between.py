"""Events of some kinds within a time, whoever they are about."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from poorwill.store.event import Event, Kind, event_of
from poorwill.store.schema import event


def select_between(connection: Connection, kinds: Iterable[Kind], since: float, until: float) -> list[Event]:
    """In the order in which they were written; ``until`` is not in it, both are seconds since the epoch."""
    first, last = round(since * 1_000_000), round(until * 1_000_000)
    found = select(event).where(
        event.c.at_us >= first, event.c.at_us < last, event.c.kind.in_([kind.value for kind in kinds])
    )
    return [event_of(row) for row in connection.execute(found.order_by(event.c.id)).mappings()]
