"""What the journal says about a time: who was there, and what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from poorwill.core.life import Life
from poorwill.core.meter import Meter
from poorwill.core.stretch import Stretch
from poorwill.store.event import Event, Kind

_BEGINS = (Kind.START, Kind.THERE)
_ENDS = (Kind.GONE, Kind.STOPPED, Kind.CRASHED, Kind.DONE, Kind.FAILED)


def lives_of(events: Iterable[Event], _now: float) -> tuple[Life, ...]:
    """The lives of instances, as far as one walk along the events tells."""
    opened: dict[tuple[str, str], float] = {}
    found: list[Life] = []
    for event in events:
        key = event.service, event.instance
        if event.kind in _BEGINS:
            opened.setdefault(key, event.at)
        elif event.kind in _ENDS and key in opened:
            found.append(Life(*key, opened.pop(key), event.at))
    return (*found, *(Life(*key, start) for key, start in opened.items()))


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
    return tuple(Stretch(event.service, **event.detail) for event in events if event.kind is Kind.USED)
