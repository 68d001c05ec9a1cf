"""Whether the memory of a GPU is really free again, after what was on it stopped.

A driver may take seconds to give it back, and what a service left behind keeps it for good. So the next start
on a card waits until it has room, but not for ever. Where there is no card to ask, nothing waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from poorwill import clock
from poorwill.control.apply import Spawn
from poorwill.control.cards import Reading, readings
from poorwill.control.recorder import Recorder
from poorwill.control.seat import Seat
from poorwill.core.debt import Severity
from poorwill.core.memory import memory_text
from poorwill.core.share import Card, Claim
from poorwill.errors import ProviderError
from poorwill.providers.base import Shell
from poorwill.store.journal import Entry, Kind

log = structlog.get_logger()

PATIENCE = 30.0
"""Seconds for which a start waits for memory that is not given back."""

ASK_EVERY = 0.5
ANSWER_WITHIN = 10.0

ABOUT = "gpu"
"""What such an alert is about, in the journal."""

Key = tuple[str, str]


class Releases:
    """``_left``: cards that something has left and that nobody has looked at since. ``_known``: processes
    that were told of once, for which nobody waits again; ``_told``: cards with an alert that is not over.
    """

    def __init__(self, recorder: Recorder, spawn: Spawn, nudge: Callable[[str], None]) -> None:
        self._recorder = recorder
        self._spawn = spawn
        self._nudge = nudge
        self._held: dict[str, Claim] = {}
        self._left: set[Key] = set()
        self._asking: set[str] = set()
        self._known: set[tuple[str, int] | Key] = set()
        self._told: set[Key] = set()

    def follow(self, claim: Claim) -> None:
        """Notice who has left a card."""
        if claim.held:
            if claim.movable or claim.awake_since is not None:  # else nobody has seen it yet
                self._held[claim.service] = claim
        elif (before := self._held.pop(claim.service, None)) is not None:
            self._left |= {card.key for card in before.share.cards}

    def awaited(self, service: str, seat: Seat) -> str:
        """What a start of the service has to wait for, in words; empty when it need not."""
        if seat.shell is None or not self._left & {card.key for card in seat.share.cards}:
            return ""
        if service not in self._asking:
            self._asking.add(service)
            self._spawn(self._until_free(service, seat, seat.shell))
        return f"waits until the memory of {seat.share} is free"

    async def _until_free(self, service: str, seat: Seat, shell: Shell) -> None:
        deadline = clock.now().mono + PATIENCE
        said = ""
        try:
            while True:
                found, why = await self._look(seat, shell)
                if why and why != said:
                    log.warning("nobody knows whether the GPU is free", gpu=str(seat.share), why=why)
                said = why
                full = [(card, one) for card, one in found or () if not self._will_do(card, one, seat)]
                if found is not None and not full:
                    self._settle(service, seat, found)
                    return
                if clock.now().mono >= deadline:
                    self._give_up(service, seat, full)
                    return
                await asyncio.sleep(ASK_EVERY)
        finally:
            self._left -= {card.key for card in seat.share.cards}
            self._asking.discard(service)
            self._nudge(service)

    async def _look(self, seat: Seat, shell: Shell) -> tuple[list[tuple[Card, Reading]] | None, str]:
        """Its cards, as far as they tell anything; None, and why, when nobody can tell now."""
        try:
            cards = await readings(shell, ANSWER_WITHIN) or ()
        except ProviderError as error:
            return None, str(error)
        return [(card, one) for card in seat.share.cards for one in cards if one.is_called(card.name)], ""

    def _will_do(self, card: Card, one: Reading, seat: Seat) -> bool:
        """There is room, or what takes it was told of before."""
        if one.has_room(seat.share.memory):
            return True
        holders = _holders(card, one)
        return holders <= self._known if holders else card.key in self._known

    def _give_up(self, service: str, seat: Seat, full: list[tuple[Card, Reading]]) -> None:
        """It is started all the same: what holds the memory may be little, or wrongly counted."""
        for card, one in full:
            self._known |= _holders(card, one) or {card.key}
            self._told.add(card.key)
            need, free = seat.share.memory, memory_text(one.free)
            lacks = f"has {free} free, and {service} needs {memory_text(need)}" if need else "is not free"
            self._alert(
                service,
                Severity.WARNING,
                f"{card} {lacks}; it is held {one.held_by()}, and {service} is started all the same",
                "`nvidia-smi` shows what runs there: stop what does not belong there, or correct `gpu:`",
            )

    def _settle(self, service: str, seat: Seat, found: list[tuple[Card, Reading]]) -> None:
        for card, one in found:
            if card.key in self._told and one.has_room(seat.share.memory):
                self._told.discard(card.key)
                self._alert(service, Severity.NOTICE, f"over: {card} has room again", "")

    def _alert(self, service: str, severity: Severity, reason: str, hint: str) -> None:
        write = log.warning if severity is Severity.WARNING else log.info
        write("alert", service=service, about=ABOUT, reason=reason)
        detail = {"severity": str(severity), "about": ABOUT, "hint": hint}
        self._recorder.note(clock.now(), Entry(Kind.ALERT, service, reason=reason, detail=detail))


def _holders(card: Card, one: Reading) -> set[tuple[str, int] | Key]:
    """Processes, by the machine they are of."""
    return {(card.machine, holder.pid) for holder in one.holders}
