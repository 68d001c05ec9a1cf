"""How full the GPU is of those who say which one they use: in virtual time, with a shell that answers."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.control.virtual_time import in_virtual_time

from poorwill.control.facts import Facts
from poorwill.control.fullness import AGAIN, EVERY, Fullness
from poorwill.control.place import Place
from poorwill.control.seat import Seat
from poorwill.core.model import Condition, Service
from poorwill.core.share import Card, Share
from poorwill.providers.base import Ran, Sighting

MIB = 1024 * 1024


class Host:
    """One service that says ``gpu: 0``, and is ready; ``said`` is how nvidia-smi ends."""

    def __init__(self) -> None:
        self.said: Ran | Exception = Ran(0, "1024\n300\n")
        self.asked = 0
        self.gauged: dict[str, float] = {}
        self.place = Place("chat-1", Sighting("chat-1", Condition.RUNNING, "life"), ready_life="life")
        self.facts = Facts(Service("chat"), object(), None, {"chat-1": self.place})  # type: ignore[arg-type]
        self.facts.seat = Seat(Share((Card("0"),)), self)  # type: ignore[arg-type]
        self.tasks: list[asyncio.Task[None]] = []
        self.fullness = Fullness(self.spawn, lambda _: self, self.gauged.get)  # type: ignore[arg-type]

    async def run(self, _: str, **__: Any) -> Ran:
        self.asked += 1
        if isinstance(self.said, Exception):
            raise self.said
        return self.said

    def spawn(self, work: Any) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@in_virtual_time
async def test_what_is_there_is_asked_and_nothing_else() -> None:
    host = Host()
    host.spawn(host.fullness.run({"chat": host.facts}))
    await asyncio.sleep(10 * EVERY)
    assert host.fullness.of("chat") == 1024 * MIB
    assert 9 <= host.asked <= 11
    host.gauged["chat"] = 5.0
    await asyncio.sleep(10 * EVERY)
    assert (host.fullness.of("chat"), host.asked <= 11) == (5.0, True), "others ask already"
    del host.gauged["chat"]
    host.place.ready_life = None
    await asyncio.sleep(EVERY)
    assert (host.fullness.of("chat"), host.asked <= 11) == (None, True)
    host.place.ready_life, host.facts.seat = "life", None
    await asyncio.sleep(EVERY)
    assert (host.fullness.of("chat"), host.asked <= 11) == (None, True), "it says no gpu"
    await host.end()


@in_virtual_time
async def test_who_cannot_tell_is_asked_again_much_later() -> None:
    for trouble in (Ran(127, ""), Ran(0, "[N/A]\n"), ValueError("of a provider")):
        host = Host()
        host.spawn(host.fullness.run({"chat": host.facts}))
        await asyncio.sleep(2 * EVERY)
        host.said, before = trouble, host.asked
        await asyncio.sleep(AGAIN - EVERY)
        assert host.fullness.of("chat") is None
        assert host.asked <= before + 2, "it tries two ways at most"
        host.said = Ran(0, "7\n")
        await asyncio.sleep(2 * EVERY)
        assert host.fullness.of("chat") == 7 * MIB
        await host.end()
