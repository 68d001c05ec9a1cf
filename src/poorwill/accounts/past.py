"""What the journal says was measured, and who used what."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from poorwill.core.meter import Meter
from poorwill.core.stretch import Stretch, joined, stretch_from
from poorwill.store.event import Event, Kind


def meters_of(events: Iterable[Event]) -> tuple[Meter, ...]:
    return tuple(
        Meter(
            event.service,
            event.detail["since"],
            event.detail["until"],
            Decimal(event.detail["kwh"]),
            event.instance,
        )
        for event in events
        if event.kind is Kind.METER
    )


def stretches_of(events: Iterable[Event]) -> tuple[Stretch, ...]:
    """Whole, as they were before they were written down in parts."""
    return joined(stretch_from(event.service, event.detail) for event in events if event.kind is Kind.USED)
