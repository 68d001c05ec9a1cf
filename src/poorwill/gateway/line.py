"""The line at a door whose service takes only so many requests at a time: first come, first served.

Who comes first is told by when the request began, so that the order outlives a restart of the control plane,
after which Envoy asks about all of them again.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

_numbers = count()


@dataclass(slots=True, order=True)
class Ticket:
    """One request in the line; ``began`` is in seconds since the epoch. ``news`` wakes who holds it.
    ``wants`` is the address of the instance that the visitor must meet again, ``to`` the one where the slot
    is; empty: any.
    """

    began: float
    number: int = field(default_factory=lambda: next(_numbers))
    granted: bool = field(default=False, compare=False)
    wants: str = field(default="", compare=False)
    to: str = field(default="", compare=False)
    news: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


class Line:
    """Tickets in the order of their requests, and those that have a slot but did not go through yet."""

    def __init__(self) -> None:
        self._waiting: list[Ticket] = []
        self._granted: dict[int, Ticket] = {}
        self._given: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def granted(self) -> int:
        return self._given.total()

    def granted_to(self, address: str) -> int:
        """How many slots of an instance were given, ever."""
        return self._given[address]

    def join(self, began: float, wants: str = "") -> Ticket:
        ticket = Ticket(began, wants=wants)
        insort(self._waiting, ticket)
        return ticket

    def leave(self, ticket: Ticket, *, went: bool) -> None:
        """Who ``went`` through, or gave up: nobody waits behind a request that is gone."""
        if ticket.granted:
            if self._granted.pop(ticket.number, None) and not went:
                self._given[ticket.to] -= 1
            return
        place = bisect_left(self._waiting, ticket)
        if place < len(self._waiting) and self._waiting[place].number == ticket.number:
            del self._waiting[place]

    def grant(self, places: int) -> int:
        """Give slots to the first in the line; returns to how many. ``granted`` counts them all."""
        return self.grant_at({"": places})[""]

    def grant_at(self, rooms: Mapping[str, int], kept: Mapping[str, int] | None = None) -> Counter[str]:
        """Give slots of several instances, by address; returns how many of each. ``kept`` are of instances
        that are for nobody but those who want them.

        Each goes to the first in the line, at the instance with the most room. Who wants a certain one waits
        for it, and nobody waits behind him.
        """
        left, own = Counter(rooms), Counter({**rooms, **(kept or {})})
        given: Counter[str] = Counter()
        waiting = []
        for place, ticket in enumerate(self._waiting):
            if sum(own.values()) <= 0:
                waiting += self._waiting[place:]
                break
            to = ticket.wants if ticket.wants in own else max(left, key=left.__getitem__, default=None)
            if to is None or own[to] <= 0:
                waiting.append(ticket)
                continue
            own[to] -= 1
            left[to] -= to in left
            given[to] += 1
            self._give(ticket, to)
        self._waiting = waiting
        return given

    def _give(self, ticket: Ticket, to: str) -> None:
        ticket.granted, ticket.to = True, to
        self._granted[ticket.number] = ticket
        self._given[to] += 1
        ticket.news.set()

    def recall(self) -> None:
        """The door closed in front of those who were just about to go through: they are the first again."""
        for ticket in self._granted.values():
            ticket.granted = False
            self._given[ticket.to] -= 1
            insort(self._waiting, ticket)
        self._granted.clear()

    def turn(self) -> None:
        """Tell all of them to look again."""
        for ticket in self._waiting:
            ticket.news.set()
