"""How long people wait for a service to start, and who does not get in: counted at its door.

A held request has waited since its own beginning, which Envoy knows: so a restart of the control plane makes
no wait shorter, and each is counted once, when it ends. A person at a browser waits from the moment that the
waiting page was made until the page is told that the service is there. The page has a name, with that moment
in it, which comes back with every stream of events that it opens: so a broken line is no new visitor. Pages
without JavaScript, and those that never asked for events, are not counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from secrets import token_hex

from poorwill.core.model import Now
from poorwill.core.using import Use
from poorwill.core.waits import Waits

PAGE = "page"
"""What the name is called in the address of the page's events."""

LONGEST = 3600.0
"""Seconds that a page is believed to have waited at most: visitors can make up its name."""

BACK_WITHIN = 10.0
"""Seconds after which somebody whose page is not heard of any more has given up."""

MOST_PAGES = 10_000
"""Pages that are told apart at a door."""

_NAME = re.compile(r"([0-9a-f]{6,12})-[0-9a-f]{8}")


def page_name(wall: float) -> str:
    """A name for a waiting page that is made at this moment."""
    return f"{int(wall * 1000):x}-{token_hex(4)}"


@dataclass(slots=True)
class _Page:
    """``began`` is monotonic; ``left`` is when the last of its streams broke off, None while there is one."""

    began: float
    streams: int = 0
    left: float | None = None


@dataclass(slots=True)
class Waiting:
    """``total`` is since this control plane began, ``_fresh`` since somebody last took it."""

    total: Waits = field(default_factory=Waits)
    _fresh: Waits = field(default_factory=Waits)
    _first_at: float | None = None
    _last_at: float | None = None
    _pages: dict[str, _Page] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        """How many pages wait."""
        return len(self._pages)

    def went(self, seconds: float, now: float) -> None:
        self._add(Waits(waited=1, seconds=seconds, longest=seconds), now)

    def gave_up(self, now: float) -> None:
        self._add(Waits(gave_up=1), now)

    def refused(self, now: float) -> None:
        self._add(Waits(refused=1), now)

    def page_opens(self, name: str, now: Now) -> str:
        """A stream of the page's; returns the name by which it is known from now on."""
        if not (found := _NAME.fullmatch(name)):
            name = page_name(now.wall)
        if name not in self._pages and len(self._pages) < MOST_PAGES:
            waited = now.wall - int(found[1], 16) / 1000 if found else 0.0
            self._pages[name] = _Page(now.mono - (waited if 0 <= waited <= LONGEST else 0.0))
        if page := self._pages.get(name):
            page.streams, page.left = page.streams + 1, None
        return name

    def page_breaks_off(self, name: str, now: float) -> None:
        """It may come back in a moment."""
        if page := self._pages.get(name):
            page.streams = max(0, page.streams - 1)  # it may be a stream of a page that ended under this name
            page.left = None if page.streams else now

    def page_ends(self, name: str, now: float, *, went: bool) -> None:
        """It was told that the service is there, or that there is nothing to wait for any more."""
        page = self._pages.pop(name, None)
        if page is not None and went:
            self.went(now - page.began, now)
        elif page is not None:
            self.refused(now)

    def page_turns(self, name: str) -> None:
        """It becomes another page, which nobody waits at."""
        self._pages.pop(name, None)

    def take(self, now: float) -> Use:
        """What happened since the last call."""
        for name, page in list(self._pages.items()):
            if page.left is not None and now - page.left > BACK_WITHIN:
                del self._pages[name]
                self.gave_up(page.left)
        use = Use(first_at=self._first_at, last_at=self._last_at, waits=self._fresh, waiting=self.pages)
        self._fresh, self._first_at, self._last_at = Waits(), None, None
        return use

    def _add(self, more: Waits, now: float) -> None:
        self.total, self._fresh = self.total.plus(more), self._fresh.plus(more)
        self._first_at = now if self._first_at is None else min(self._first_at, now)
        self._last_at = now if self._last_at is None else max(self._last_at, now)
