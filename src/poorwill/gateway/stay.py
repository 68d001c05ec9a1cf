"""The time that one request is held at a door, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

from poorwill.gateway.clients import Client
from poorwill.gateway.doors import Door
from poorwill.gateway.line import Ticket


@dataclass(slots=True)
class Stay:
    """``waited`` is how long the request had waited before, ``arrived`` when it came here (monotonic).

    ``asked`` says that it counts as somebody who wants the service, ``slept`` that it found it closed,
    ``open_since`` since when it has only stood in the line. ``went`` says that it got in, ``sent`` that it
    was sent away; else it left.
    """

    door: Door
    waited: float
    arrived: float
    ticket: Ticket | None = None
    asked: bool = False
    slept: bool = False
    open_since: float | None = None
    went: bool = False
    sent: bool = False

    def look(self, now: float) -> None:
        """The door, once more, while it does not let this request in."""
        if not self.door.passable.is_set():
            self.slept = True
        elif self.open_since is None:
            self.open_since = now

    def ask(self, now: float, asker: Client) -> None:
        """Want the service, once."""
        if not self.asked:
            self.asked = True
            self.door.waiting += 1
            self.door.ask(now, asker)

    def end(self, now: float) -> None:
        door = self.door
        if self.asked:
            door.waiting -= 1
        if self.ticket is not None:
            door.line.leave(self.ticket, went=self.went)
            if not self.went and door.passable.is_set():
                door.stood.left += 1
        if self.went and self.open_since is not None:
            door.stood.went(now - self.open_since)
        if self.went and self.slept:
            door.waits.went(self.waited + now - self.arrived, now)
        elif self.sent:
            door.waits.refused(now)
        elif not self.went:
            door.waits.gave_up(now)
