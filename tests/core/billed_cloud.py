"""A cloud that keeps its own books, and a view of it that remembers every look: what the ledger is judged by.

Nothing here knows how the ledger counts. The truth is the integral over the cloud's own states. What could
not be confirmed is the time between two looks that do not show the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.control.fake_provider import FOREVER, Cloud, Copy, FakeProvider
from tests.control.virtual_time import BEGIN, WALL

from poorwill import clock
from poorwill.core.model import Condition
from poorwill.providers.base import Handle, Sighting


@dataclass(frozen=True, slots=True)
class Look:
    """What a look that began and ended then showed; None: nothing."""

    begun: float
    ended: float
    life: str | None


@dataclass(slots=True)
class Call:
    """A start: what looks show while it is under way, and until it has settled, does not count."""

    begun: float
    ended: float = FOREVER


@dataclass(frozen=True, slots=True)
class Kill:
    """How a control plane ended: its last ``line``, until when that confirms what it ``knew``, and when."""

    line: float
    knew: float
    at: float


class BilledCloud(Cloud):
    """``tells`` says that it gives timestamps, by a clock of its own that nobody sets; ``told`` whose."""

    tells = False
    zero = WALL

    def __init__(self) -> None:
        super().__init__()
        self.began: dict[str, float] = {}
        self.copies: dict[str, Copy] = {}
        self.looks: list[Look] = []
        self.told: set[str] = set()
        self.calls_made: list[Call] = []
        self.plane = 0

    def _set(self, copy: Copy | None) -> None:
        super()._set(copy)
        if copy is not None:
            self.began.setdefault(copy.life, clock.now().mono)
            self.copies[copy.life] = copy

    def ended(self, life: str) -> float:
        copy = self.copies[life]
        return max(self.began[life], min(copy.dies_at, copy.gone_at))

    def true_lives(self, now: float) -> dict[str, tuple[float, float]]:
        """From when to when each was there, of all that Poorwill started or any look told of."""
        known = self.told | {life for life, copy in self.copies.items() if not copy.foreign}
        return {
            life: (begun, min(self.ended(life), now)) for life, begun in self.began.items() if life in known
        }

    def wall(self, at: float) -> float:
        return self.zero + at - BEGIN

    def latest(self, at: float) -> str | None:
        """The life that was begun last, at that time."""
        return next((life for life in reversed(self.began) if self.began[life] <= at), None)

    def unconfirmed(self, settle: float, now: float, kills: Iterable[Kill]) -> float:
        """In how much of the time nobody could tell what was there.

        Between two looks that show the same it is confirmed, unless a start was made in between. What a look
        showed and a killed control plane did not write down in time confirms nothing.
        """
        spans: list[tuple[float, float]] = []
        kills, before = [*kills], Look(0.0, 0.0, None)
        for look in self.looks:
            if not self._counts(look, settle) or (look.life != before.life and _forgotten(look, kills)):
                continue
            if before.life != look.life or (look.life is None and self._called(before, look.ended)):
                spans.append((_since(before, kills) - settle, look.ended))
            before = look
        if before.life is not None or self._called(before, now):
            spans.append((_since(before, kills) - settle, now))
        return _measure(spans)

    def _called(self, before: Look, until: float) -> bool:
        return any(before.begun <= call.begun <= until for call in self.calls_made)

    def _counts(self, look: Look, settle: float) -> bool:
        """Right after a start a look that shows nothing is not believed."""
        if look.life is not None:
            return True
        made = self.calls_made
        return not any(call.begun <= look.ended and look.begun <= call.ended + settle for call in made)


class BilledProvider(FakeProvider):
    """One control plane's view, which keeps a record of its looks."""

    cloud: BilledCloud
    stranger = True

    async def start(self, instance: str, prepared: Mapping[str, Any]) -> Handle:
        call = Call(clock.now().mono)
        self.cloud.calls_made.append(call)
        try:
            return await super().start(instance, prepared)
        finally:
            call.ended = clock.now().mono

    async def list(self) -> list[Sighting]:
        cloud, begun = self.cloud, clock.now().mono
        first, self.stranger = self.stranger, False
        seen = await super().list()
        if first:  # a restart forgot when a call returned: it counts as under way until now
            for call in cloud.calls_made:
                if not any(look.begun > call.ended + self.settle for look in cloud.looks):
                    call.ended = max(call.ended, clock.now().mono)
        life = cloud.latest(cloud.shown_at())
        if cloud.tells and life is not None:
            since, until = cloud.began[life], cloud.ended(life)
            seen = seen or [Sighting(cloud.copies[life].instance, Condition.ABSENT, life)]
            over = until <= cloud.shown_at()
            seen = [
                replace(one, since=cloud.wall(since), until=cloud.wall(until) if over else None)
                for one in seen
            ]
        cloud.told |= {one.life for one in seen}
        there = [one.life for one in seen if one.condition is not Condition.ABSENT]
        cloud.looks.append(Look(begun, clock.now().mono, there[0] if there else None))
        return seen


def _forgotten(look: Look, kills: Iterable[Kill]) -> bool:
    return any(kill.line < look.ended <= kill.at for kill in kills)


def _since(before: Look, kills: Iterable[Kill]) -> float:
    """Until when it is confirmed what a look showed."""
    lines = [kill.knew for kill in kills if before.ended <= kill.at]
    return min([before.begun, *lines[:1]])


def _measure(spans: Iterable[tuple[float, float]]) -> float:
    """How long at least one of the spans lasts."""
    total, reached = 0.0, -FOREVER
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total
