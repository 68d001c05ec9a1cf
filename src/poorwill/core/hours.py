"""When a service is open by schedule, as visitors are told it; pure data."""

from __future__ import annotations

from dataclasses import dataclass

from poorwill.core.period import Per


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The openings of about the next seven days, merged and in order.

    ``zone`` is the IANA name of the service's time zone. Each opening is its start and its stop in seconds
    since the epoch; a stop of None is not known yet. The first opening may be under way. ``spent``: it is
    closed because the budget of this period is used up, and ``openings`` is only when that is over.
    """

    zone: str
    openings: tuple[tuple[float, float | None], ...] = ()
    spent: Per | None = None

    def ahead(self, wall: float) -> tuple[tuple[float, float | None], ...]:
        """What is not over yet."""
        return tuple((start, stop) for start, stop in self.openings if stop is None or stop > wall)

    def next_opening(self, wall: float) -> float | None:
        """When it opens next, after now; None when that is not known."""
        return next((start for start, _ in self.openings if start > wall), None)
