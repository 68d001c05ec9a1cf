"""Services on one GPU in the control room, each in a cloud of its own; a host with nvidia-smi or without."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import House

from poorwill import clock
from poorwill.control.facts import Facts
from poorwill.control.seat import Seat
from poorwill.core.door import Traffic
from poorwill.core.share import Card, Share
from poorwill.providers.base import Ran

GB = 10**9
MIN_AWAKE = 100.0


class Shell:
    """A host with cards, as far as ``nvidia-smi`` tells; by default there is none."""

    def __init__(self) -> None:
        self.said: list[Ran | Exception] = [Ran(127, "sh: nvidia-smi: not found")]
        self.asked = 0

    async def run(self, _command: str, **_: Any) -> Ran:
        self.asked += 1
        await asyncio.sleep(0.2)
        said = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(said, Exception):
            raise said
        return said


class Card0:
    """Services on one GPU, each with a cloud of its own."""

    def __init__(self, house: House) -> None:
        self.house, self.shell = house, Shell()
        self.clouds: dict[str, Cloud] = {}

    def add(self, name: str, memory: int | None = None, **more: Any) -> Facts:
        self.clouds[name] = Cloud()
        shell: Any = more.pop("shell", self.shell)
        own = {key: more.pop(key) for key in ("priority", "min_awake") if key in more}
        cards = tuple(Card(one, memory=24 * GB) for one in more.pop("on", ("0",)))
        share = Share(cards, memory and memory * GB, **{"min_awake": MIN_AWAKE, **own})
        return self.house.add(
            name=name,
            **{
                "provider": FakeProvider(self.clouds[name]),
                "probe": None,
                "seat": Seat(share, shell),
                **more,
            },
        )

    def runs(self, name: str) -> bool:
        return self.clouds[name].copy() is not None

    def use(self, name: str, busy: int = 0) -> None:
        """Somebody uses it now; ``busy`` requests stay open."""
        now = clock.now().mono
        self.house.front.traffics[name] = Traffic(busy=busy, read_at=now, last_activity=now)
        self.house.reconciler.nudge(name)

    async def awake(self, name: str) -> None:
        self.house.front.ask(name)
        await self.house.becomes("awake", name=name)

    def reason(self, name: str) -> str:
        decision = self.house.reconciler.services[name].decision
        return decision.reason if decision else ""
