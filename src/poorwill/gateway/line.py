"""The line at a door whose service takes only so many requests at a time: first come, first served.

Who comes first is told by when the request began, so that the order outlives a restart of the control plane,
after which Envoy asks about all of them again.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from itertools import count

_numbers = count()


@dataclass(slots=True, order=True)
class Ticket:
    """One request in the line; ``began`` is in seconds since the epoch. ``news`` wakes who holds it."""

    began: float
    number: int = field(default_factory=lambda: next(_numbers))
    granted: bool = field(default=False, compare=False)
    news: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


class Line:
    """Tickets in the order of their requests, and those that have a slot but did not go through yet."""

    def __init__(self) -> None:
        self._waiting: list[Ticket] = []
        self._granted: dict[int, Ticket] = {}
        self.granted = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, began: float) -> Ticket:
        ticket = Ticket(began)
        insort(self._waiting, ticket)
        return ticket

    def leave(self, ticket: Ticket, *, went: bool) -> None:
        """Who ``went`` through, or gave up: nobody waits behind a request that is gone."""
        if ticket.granted:
            if self._granted.pop(ticket.number, None) and not went:
                self.granted -= 1
            return
        place = bisect_left(self._waiting, ticket)
        if place < len(self._waiting) and self._waiting[place].number == ticket.number:
            del self._waiting[place]

    def grant(self, places: int) -> int:
        """Give slots to the first in the line; returns to how many. ``granted`` counts them all."""
        first = self._waiting[:places]
        del self._waiting[: len(first)]
        for ticket in first:
            ticket.granted = True
            self._granted[ticket.number] = ticket
            ticket.news.set()
        self.granted += len(first)
        return len(first)

    def recall(self) -> None:
        """The door closed in front of those who were just about to go through: they are the first again."""
        for ticket in self._granted.values():
            ticket.granted = False
            insort(self._waiting, ticket)
        self.granted -= len(self._granted)
        self._granted.clear()

    def turn(self) -> None:
        """Tell all of them to look again."""
        for ticket in self._waiting:
            ticket.news.set()
