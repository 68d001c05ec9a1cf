"""Writes down when each service was used: its visitors are looked at once a second, and stretches come of it.

Only services with a door have visitors. Those that never sleep are looked at like all others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from poorwill import clock
from poorwill.control.facts import Facts
from poorwill.control.recorder import Recorder
from poorwill.core import using
from poorwill.core.model import Now
from poorwill.core.stretch import Stretch
from poorwill.core.using import Going, Pace, Use
from poorwill.store.journal import Entry, Kind

LOOK = 1.0
"""Seconds between two looks."""

PACE = Pace()


class Visitors(Protocol):
    """What the gateway knows of them."""

    def use(self, service: str) -> Use: ...

    async def catch_up(self) -> None: ...


class Using:
    """``memory(service)`` is what it uses of its GPU now, in bytes; None where nobody measures that."""

    def __init__(
        self, recorder: Recorder, memory: Callable[[str], float | None], pace: Pace | None = None
    ) -> None:
        self._recorder = recorder
        self._memory = memory
        self._pace = pace or PACE
        self._going: dict[str, Going] = {}
        self._services: Mapping[str, Facts] = {}
        self._visitors: Visitors | None = None

    async def run(self, services: Mapping[str, Facts], visitors: Visitors) -> None:
        """``services`` are those in charge, whenever it is looked at."""
        self._services, self._visitors = services, visitors
        while self._visitors is not None:
            self._look(self._visitors)
            await asyncio.sleep(LOOK)

    async def end(self) -> None:
        """Write down all that is known: the program leaves."""
        visitors, self._visitors = self._visitors, None
        if visitors is None:
            return
        await visitors.catch_up()
        self._look(visitors)
        now = clock.now()
        for name in [*self._going]:
            self._write(using.end(name, self._going.pop(name), now), now)

    def _look(self, visitors: Visitors) -> None:
        now = clock.now()
        for name, facts in self._services.items():
            if facts.has_door:
                use = self._with_memory(visitors.use(name), name)
                going, stretches = using.read(name, self._going.get(name), use, now, self._pace)
                self._write(stretches, now)
                if going is not None:
                    self._going[name] = going
                else:
                    self._going.pop(name, None)
        for name in self._going.keys() - self._services.keys():
            self._write(using.end(name, self._going.pop(name), now), now)

    def _with_memory(self, use: Use, name: str) -> Use:
        if (peak := self._memory(name)) is None:
            return use
        return Use(use.answered, use.first_at, use.last_at, use.waits, use.waiting, round(peak))

    def _write(self, stretches: tuple[Stretch, ...], now: Now) -> None:
        for one in stretches:
            self._recorder.note(now, Entry(Kind.USED, one.service, detail=one.as_json()))
