"""How long a request has waited already, although Envoy dates it by a clock that may be set meanwhile."""

from __future__ import annotations

from collections import deque

from poorwill.core.model import Now

STEP = 1.0
"""Seconds by which the wall clock must run away from the monotonic one to count as set."""


class Patience:
    """Remembers what the wall clock was set from. What happened before this life began it cannot know."""

    def __init__(self, now: Now) -> None:
        self._offsets = deque([now.wall - now.mono], maxlen=8)

    def waited(self, began: float, now: Now) -> float:
        """Seconds since ``began``, an instant of the wall clock as it was then.

        Of all the clocks it may have been read from, the one by which it was least long ago is believed: a
        request that waits too long is better than one that is turned away at once.
        """
        offset = now.wall - now.mono
        if abs(offset - self._offsets[-1]) > STEP:
            self._offsets.append(offset)
        by_each = (now.mono + offset - began for offset in self._offsets)
        return min((seconds for seconds in by_each if seconds >= 0), default=0.0)
