"""What was spent in some periods, for budgets: read from the journal, in a thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from poorwill.core.bill import Line
from poorwill.core.period import Period
from poorwill.core.price import Price
from poorwill.store.event import Event, Kind
from poorwill.store.journal import read_only


@dataclass(frozen=True, slots=True)
class Spent:
    """``lines`` of each period that was asked for. ``prices`` are those in force, ``since`` is from when on
    anything is known of each payer, in seconds since the epoch.
    """

    lines: Mapping[Period, tuple[Line, ...]] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)
    since: Mapping[str, float] = field(default_factory=dict)

    def known_since(self, payer: str) -> float | None:
        """For everything together (empty) the first moment of all."""
        return self.since.get(payer) if payer else min(self.since.values(), default=None)


Read = Callable[[Path, Sequence[Period], float], Spent]
"""The state folder, the periods, and what the time is. Blocks; raises StateError."""


def read(folder: Path, periods: Sequence[Period], now: float) -> Spent:
    """What was spent up to now in these periods. Raises StateError when the journal cannot be read."""
    with read_only(folder) as archive:
        events = archive.events(limit=1_000_000)
    lives = _lives(events, now)
    since = {name: min(start for other, start, _ in lives if other == name) for name, *_ in lives}
    return Spent({period: _lines(lives, period) for period in periods}, {}, since)


_Life = tuple[str, float, float]


def _lives(events: Sequence[Event], now: float) -> list[_Life]:
    """Until the ledger is here: from START to the end of it."""
    begun: dict[tuple[str, str], float] = {}
    lives: list[_Life] = []
    for event in events:
        key = (event.service, event.instance)
        if event.kind in (Kind.START, Kind.READY):
            begun.setdefault(key, event.at)
        elif event.kind in (Kind.STOPPED, Kind.CRASHED, Kind.DONE, Kind.FAILED) and key in begun:
            lives.append((event.service, begun.pop(key), event.at))
    return [*lives, *((service, start, now) for (service, _), start in begun.items())]


def _lines(lives: Sequence[_Life], period: Period) -> tuple[Line, ...]:
    seconds: dict[str, float] = {}
    for name, start, end in lives:
        inside = min(end, period.stop) - max(start, period.start)
        if inside > 0:
            seconds[name] = seconds.get(name, 0.0) + inside
    return tuple(Line(name, "service", there, there, None, "") for name, there in seconds.items())
