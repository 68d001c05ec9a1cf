"""The service itself dies: awake, while it starts, and at each start for a while."""

from __future__ import annotations

import asyncio

from tests.acceptance.chaos.scene import Scene
from tests.acceptance.chaos.tenants import broken
from tests.acceptance.chaos.troubles import Trouble
from tests.acceptance.running import until


async def crash_while_awake(scene: Scene) -> None:
    name = scene.draw.choice(["quick", "busy", "frail"])
    await scene.visitors.ask(name, "get")
    await scene.moment_of(name, "awake")
    await scene.kill_service(name, "awake")
    await asyncio.gather(*(scene.visitors.ask(name, kind) for kind in ("get", "post")))


async def crash_while_starting(scene: Scene) -> None:
    await scene.asleep_by_hand("slow")
    before = len(scene.lines("slow"))
    asked = asyncio.gather(*(scene.visitors.ask("slow", kind) for kind in ("get", "post", "websocket")))
    await scene.moment(lambda: _just_started(scene, before), "it starts")
    await scene.kill_service("slow", "starting")
    await asked


def _just_started(scene: Scene, before: int) -> bool:
    fresh = [line.what for line in scene.lines("slow")[before:]]
    return "start" in fresh and "listen" not in fresh


async def cannot_start(scene: Scene) -> None:
    file = broken(scene.folder)
    async with scene.failing("frail"):
        await scene.asleep_by_hand("frail")
        file.touch()
        before = len(scene.lines("frail"))
        asked = asyncio.gather(*(scene.visitors.ask("frail", kind) for kind in ("get", "post")))
        await until(lambda: any(one.what == "start" for one in scene.lines("frail")[before:]), "it fails")
        await asyncio.sleep(scene.draw.uniform(0, 1))
        file.unlink()
    await asked


TROUBLES = [
    Trouble("crash a service while awake", crash_while_awake),
    Trouble("crash a service while it starts", crash_while_starting),
    Trouble("let a service fail at its start", cannot_start),
]
