"""How long to go on asking when nothing is free."""

from __future__ import annotations

from poorwill import clock
from poorwill.config.units import format_duration
from poorwill.errors import NoCapacity, Permanent

SAME_WAIT = 900.0
"""Seconds of silence after which the next question begins a new wait."""


class Patience:
    """For the instances of one service; ``limit`` in seconds, None is for ever. A restart begins anew."""

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._waits: dict[str, tuple[float, float]] = {}

    def nothing_free(self, instance: str, error: NoCapacity) -> None:
        """Raises Permanent when it has been asked for long enough."""
        now = clock.now().mono
        since, last = self._waits.get(instance, (now, now))
        if now - last > max(SAME_WAIT, 10 * (error.delay or 0.0)):
            since = now
        self._waits[instance] = (since, now)
        if self._limit is not None and now - since >= self._limit:
            del self._waits[instance]
            waited = format_duration(now - since)
            hint = "choose another type of GPU or region, or a longer give_up"
            raise Permanent(f"{error}; asked for {waited}, given up", hint=hint) from error

    def over(self, instance: str) -> None:
        """The cloud accepted a start."""
        self._waits.pop(instance, None)
