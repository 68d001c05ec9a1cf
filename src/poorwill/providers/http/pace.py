"""How often a cloud is asked: less while nothing changes, not at all while it wants to be left alone."""

from __future__ import annotations

from collections.abc import Sequence

from poorwill import clock
from poorwill.errors import Permanent, ProviderError, Temporary
from poorwill.providers.base import Sighting
from poorwill.providers.http.answers import Denied, Missing, Throttled

REFUSED_FOR = 60.0
"""Seconds for which a refusal that a person must see to is not asked for again."""


class Pace:
    """For the looks at one service. Times are readings of the monotonic clock."""

    def __init__(self, poll: float, settle: float) -> None:
        self._poll = poll
        self._settle = settle
        self._last: tuple[float, list[Sighting]] | None = None
        self._changed_at: float | None = None
        self._moving = False
        self._refusal: tuple[float, ProviderError] | None = None

    def known(self) -> list[Sighting] | None:
        """What the last look saw, while that is as good as a new one. Raises a refusal that still holds."""
        now = clock.now().mono
        if self._refusal is not None and now < self._refusal[0]:
            raise self._again(self._refusal[1], self._refusal[0] - now)
        if self._last is None or now - self._last[0] >= self._poll:
            return None
        settled = self._changed_at is None or now - self._changed_at >= self._settle
        return list(self._last[1]) if settled and not self._moving else None

    def saw(self, sightings: Sequence[Sighting], began: float, *, moving: bool) -> None:
        """A look that began then succeeded. ``moving``: something starts or stops, or is expected to."""
        told = [(one.instance, one.condition, one.life) for one in sightings]
        before = [(one.instance, one.condition, one.life) for one in self._last[1]] if self._last else told
        if told != before:
            self._changed_at = began
        self._last, self._moving, self._refusal = (began, list(sightings)), moving, None

    def called(self) -> None:
        """Something was asked for: what was seen before says nothing any more."""
        self._last, self._changed_at = None, clock.now().mono

    def refused(self, error: ProviderError) -> None:
        """A look failed."""
        self._last = None
        if isinstance(error, Throttled):
            self._refusal = (clock.now().mono + (error.delay or 0.0), error)
        elif isinstance(error, Denied | Missing):
            self._refusal = (clock.now().mono + min(REFUSED_FOR, self._poll * 4), error)

    @staticmethod
    def _again(error: ProviderError, left: float) -> ProviderError:
        if isinstance(error, Permanent):
            return Permanent(str(error), hint=error.hint)
        return Temporary(str(error), hint=error.hint, delay=left)
