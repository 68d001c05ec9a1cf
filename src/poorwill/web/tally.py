"""What happened so far, counted: each event of the journal since this control plane began."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict

import structlog

from poorwill.errors import StateError
from poorwill.store.journal import Event, Journal, Kind

AGAIN = 5.0
"""Seconds until a journal that could not be read is tried again."""

log = structlog.get_logger()


class Tally:
    """``events`` counts by service and kind; ``wakes`` has the seconds that each wake of a service took."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.events: Counter[tuple[str, str]] = Counter()
        self.wakes: defaultdict[str, Counter[float]] = defaultdict(Counter)

    def count(self, service: str, kind: Kind) -> int:
        return self.events[service, str(kind)]

    async def run(self) -> None:
        """Follow the journal until it is closed; when it cannot be read, go on from there later."""
        after: int | None = None
        while True:
            try:
                async for event in self._journal.subscribe(after=after):
                    after = event.id
                    self._take(event)
                return
            except StateError as error:
                log.warning("events are not counted for /metrics now", error=str(error), hint=error.hint)
                await asyncio.sleep(AGAIN)

    def _take(self, event: Event) -> None:
        self.events[event.service, str(event.kind)] += 1
        seconds = event.detail.get("seconds") if event.kind is Kind.READY else None
        if isinstance(seconds, int | float):
            self.wakes[event.service][round(float(seconds), 1)] += 1
