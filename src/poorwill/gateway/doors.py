"""What the gate knows of each service: whether to let through, refuse, or keep waiting.

The control plane sets it; the gate reads it and adds what visitors want. Nothing here decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from poorwill.core.allowance import Allowance
from poorwill.core.door import Asked
from poorwill.core.history import Estimate
from poorwill.core.hours import OpeningHours
from poorwill.core.model import OnRequest
from poorwill.gateway.again import FRESH
from poorwill.gateway.clients import Client
from poorwill.gateway.line import Line, Ticket
from poorwill.gateway.sticky import address_in
from poorwill.gateway.waiting import Waiting


class Refusal(StrEnum):
    """Why nobody is let in or waited for; the names are the page kinds of ``gateway.pages``."""

    BY_HAND = "by_hand"
    CLOSING = "closing"
    REMOVED = "removed"


CLICK_LASTS = 60.0
"""Seconds for which a click is remembered when no start begins; longer while somebody waits."""


@dataclass(slots=True)
class Stood:
    """How many stood in the line of an awake service and went through, and for how many seconds together.
    ``left`` are those who left the line without getting in.
    """

    count: int = 0
    seconds: float = 0.0
    left: int = 0

    def went(self, seconds: float) -> None:
        self.count += 1
        self.seconds += seconds


@dataclass(slots=True)
class Door:
    """The gate's view of one service.

    ``hold`` is in seconds. ``waking_since`` (monotonic) is None unless a start is under way; ``trouble``
    says that the last start failed. ``entrance`` is what a visit does to the service; None until the control
    plane knows. ``hours`` is when it opens by itself. ``checks`` counts everything Envoy asked. ``allowance``
    is how often visitors may wake it; None while asking for it is no wake. ``known`` says whether anybody can
    tell if it runs. ``asker`` is who asked first since it was last awake.

    At most ``max_held`` requests wait. Who needs a slot of the service stands in the ``line`` and passes with
    a ticket that was granted; everybody else passes when the door is ``passable``. ``stood`` counts how long
    they stood there while it was, ``waits`` what became of those who found it closed. ``on_line`` tells
    whoever grants tickets (``gateway.slots``) that there is something to look at. At a ``sticky`` door a
    visitor waits for a slot of the instance that he met before.
    """

    service: str
    hold: float
    on_demand: Callable[[str], None]
    max_held: int = 5000
    sticky: bool = False
    refusal: Refusal | None = None
    estimate: Estimate | None = None
    waking_since: float | None = None
    trouble: bool = False
    entrance: OnRequest | None = OnRequest.WAKE
    hours: OpeningHours | None = None
    checks: int = 0
    waiting: int = 0
    last_asked_at: float | None = None
    clicked_at: float | None = None
    passing_since: float | None = None
    allowance: Allowance | None = None
    known: bool = True
    asker: Client | None = None
    passable: asyncio.Event = field(default_factory=asyncio.Event)
    line: Line = field(default_factory=Line)
    stood: Stood = field(default_factory=Stood)
    waits: Waiting = field(default_factory=Waiting)
    on_line: Callable[[], None] = lambda: None
    _turns: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def crowded(self) -> bool:
        """Whether one more request must not be kept waiting."""
        return max(self.waiting, len(self.line)) >= self.max_held

    @property
    def closed(self) -> bool:
        """Whether it is out of hours, and nothing a visitor does changes that."""
        return self.entrance is OnRequest.CLOSED

    def needs_a_click(self, now: float) -> bool:
        """Whether coming is not enough. Once somebody clicked, everybody who comes waits as usual."""
        clicked = self.waking_since is not None or self._clicked(now)
        return self.entrance is OnRequest.PAGE and not clicked

    def click(self, now: float, client: Client | None = None) -> None:
        """A person wants the service, and said so. A start may have to wait for a stop that is under way."""
        self.clicked_at = now
        self.ask(now, client)

    def _clicked(self, now: float) -> bool:
        return self.clicked_at is not None and now - self.clicked_at < CLICK_LASTS

    def asked(self) -> Asked:
        first = self.asker or Client()
        return Asked(self.waiting, self.last_asked_at, first.name, first.program)

    def ask(self, now: float, client: Client | None = None) -> None:
        """Somebody wants the service."""
        self.asker = self.asker or client
        if self._clicked(now):
            self.clicked_at = now
        self.last_asked_at = now
        self.on_demand(self.service)

    def refuse(self, refusal: Refusal | None) -> None:
        if refusal is not self.refusal:
            self.refusal = refusal
            self.turn()

    def let_through(self, through: bool) -> None:
        if through:
            self.clicked_at = self.asker = None
        if through == self.passable.is_set():
            return  # there may be thousands who would look again for nothing
        if through:
            self.passable.set()
            self.on_line()
        else:
            self.passable.clear()
            self.passing_since = None
            self.line.recall()
        self.turn()

    def is_fresh(self, now: float) -> bool:
        """Whether it has let through for a moment only, counted from the first who passed."""
        if self.passing_since is None:
            self.passing_since = now
        return now - self.passing_since < FRESH

    def turn(self) -> None:
        """Tell everybody who waits for a change to look again."""
        self._turns.set()
        self._turns = asyncio.Event()
        self.line.turn()

    async def change(self, ticket: Ticket | None = None) -> None:
        """Wait until something about this door changes, or the ticket is granted."""
        if ticket is None:
            await self._turns.wait()
        else:
            await ticket.news.wait()
            ticket.news.clear()

    def line_up(self, began: float, cookies: str = "") -> Ticket:
        """Stand in the line for a slot; ``began`` is when the request did, in seconds since the epoch."""
        ticket = self.line.join(began, address_in(self.service, cookies) if self.sticky else "")
        self.on_line()
        return ticket

    def admits(self, ticket: Ticket | None) -> bool:
        return self.passable.is_set() and (ticket is None or ticket.granted)

    def elapsed(self, now: float) -> float:
        return 0.0 if self.waking_since is None else max(0.0, now - self.waking_since)
