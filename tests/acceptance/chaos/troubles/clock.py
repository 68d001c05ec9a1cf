"""Somebody sets the clock of the host, with requests held and services awake."""

from __future__ import annotations

import asyncio
import time

from tests.acceptance.chaos.record import Happened
from tests.acceptance.chaos.scene import Scene
from tests.acceptance.chaos.troubles import Trouble

DAY = 86400


async def jumps(scene: Scene) -> None:
    """Never by less than minutes: what is small can be drift, and what is large must not matter either."""
    assert scene.clock is not None
    at = time.monotonic()
    await scene.asleep_by_hand("slow")
    asked = asyncio.gather(*(scene.visitors.ask("slow", kind) for kind in ("get", "post", "sse")))
    await scene.until_phase("slow", "waking", "awake")
    by = scene.draw.choice([-3 * DAY, -3600, -120, 600, 3600, 40 * DAY])
    scene.clock.set(by)
    await asked
    await asyncio.gather(*(scene.visitors.ask(name, "get") for name in ("slow", "quick")))
    if scene.draw.random() < 0.5:
        scene.clock.set(0)
    scene.note(Happened.CLOCK, at, phase=f"by {by} s")


TROUBLES = [Trouble("set the clock", jumps, possible=lambda scene: scene.clock is not None)]
