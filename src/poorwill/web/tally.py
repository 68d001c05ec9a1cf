"""What happened so far, counted: each event of the journal since this control plane began."""

from __future__ import annotations

from collections import Counter, defaultdict

import structlog

from poorwill.errors import StateError
from poorwill.store.journal import Journal, Kind

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
        """Follow the journal until it is closed. Without it nothing more is counted; the rest goes on."""
        try:
            async for event in self._journal.subscribe():
                self.events[event.service, str(event.kind)] += 1
                seconds = event.detail.get("seconds") if event.kind is Kind.READY else None
                if isinstance(seconds, int | float):
                    self.wakes[event.service][round(float(seconds), 1)] += 1
        except StateError as error:
            log.error("events are no longer counted for /metrics", error=str(error), hint=error.hint)
