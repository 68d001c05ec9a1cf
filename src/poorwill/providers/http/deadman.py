"""The cloud's own shutdown timer, kept wound up as long as Poorwill lives: a dead man's switch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from poorwill import clock
from poorwill.core.model import Condition
from poorwill.errors import ProviderError
from poorwill.providers.base import Sighting


class DeadMansSwitch:
    """``wind(instance, seconds)`` sets the timer; ``complain`` is told when that fails."""

    def __init__(
        self,
        seconds: float | None,
        wind: Callable[[str, float], Awaitable[None]],
        complain: Callable[[str], None],
    ) -> None:
        self._seconds = seconds
        self._wind = wind
        self._complain = complain
        self.due: dict[str, float] = {}
        """When each running instance's timer is to be set again, on the monotonic clock."""

    async def keep(self, sightings: Iterable[Sighting]) -> None:
        """Set the timer of what runs, and again at half-time. That it fails does not make a look fail."""
        if self._seconds is None:
            return
        for sighting in sightings:
            name, now = sighting.instance, clock.now().mono
            if sighting.condition is not Condition.RUNNING:
                self.due.pop(name, None)
            elif now >= self.due.get(name, now):
                self.due[name] = now + self._seconds / 10
                try:
                    await self._wind(name, self._seconds)
                except ProviderError as error:
                    self._complain(f"the cloud's own shutdown timer is not set: {error}")
                else:
                    self.due[name] = now + self._seconds / 2
