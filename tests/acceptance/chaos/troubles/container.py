"""Somebody kills a container behind Poorwill's back."""

from __future__ import annotations

import asyncio
import time

from tests.acceptance.chaos.record import Happened
from tests.acceptance.chaos.scene import Scene
from tests.acceptance.chaos.tenants import CONTAINER
from tests.acceptance.chaos.troubles import Trouble


async def killed_outside(scene: Scene) -> None:
    assert scene.engine is not None
    await scene.visitors.ask(CONTAINER, "page")
    await scene.until_phase(CONTAINER, "awake")
    at = time.monotonic()
    await asyncio.to_thread(scene.engine.run, "kill", CONTAINER)
    scene.note(Happened.CRASHED, at, CONTAINER, "awake")
    await scene.visitors.ask(CONTAINER, "page")


TROUBLES = [Trouble("kill a container", killed_outside, possible=lambda scene: scene.engine is not None)]
