"""The control plane is killed in each phase, and the phase is seen before."""

from __future__ import annotations

import asyncio

from tests.acceptance.chaos.scene import Scene
from tests.acceptance.chaos.tenants import WIDE, one_deaf
from tests.acceptance.chaos.troubles import Trouble

HERD = 200
_TRIES = 5


async def while_awake(scene: Scene) -> None:
    name = scene.draw.choice(["quick", "busy", "frail"])
    await scene.visitors.ask(name, "get")
    await scene.moment_of(name, "awake")
    await scene.kill_control_plane_for(scene.draw.uniform(0, 2), name, "awake")


async def while_hundreds_wait(scene: Scene) -> None:
    """It listens once they are there, be it before the control plane is dead, meanwhile, or afterwards."""
    await scene.asleep_by_hand("slow")
    deaf = one_deaf(scene.folder, "slow")
    deaf.touch()
    herd = [scene.visitors.ask("slow", scene.draw.choice(["get", "post"])) for _ in range(HERD)]
    asked = asyncio.gather(*herd)
    try:
        await scene.moment(lambda: _waking_with(scene, HERD), f"{HERD} wait while it wakes")
    finally:
        asyncio.get_running_loop().call_later(scene.draw.uniform(0, 2), deaf.unlink)
    await scene.kill_control_plane_for(scene.draw.uniform(0, 2), "slow", f"waking with {HERD} held")
    await asked


async def _waking_with(scene: Scene, count: int) -> bool:
    row = await scene.gateway.status("slow")
    return bool(row["phase"] == "waking" and row["waiting"] >= count)


async def while_draining(scene: Scene) -> None:
    """Work that is open keeps it draining for more than a second, one alone and one with several instances.
    What is open at each of these is seen by the next life of the control plane as well.
    """
    crowd = asyncio.gather(*(scene.visitors.ask(WIDE, "work") for _ in range(12)))
    await scene.moment_of_instances(WIDE, 2, "awake")
    await scene.visitors.ask("busy", "get")
    before = len(scene.lines("busy"))
    work = asyncio.create_task(scene.visitors.ask("busy", "work"))
    await scene.moment_of_work("busy", before)
    async with scene.slept_by_hand("busy"), scene.slept_by_hand(WIDE):
        await scene.moment_of("busy", "draining")
        await scene.kill_control_plane_for(scene.draw.uniform(0, 2), "busy", "draining")
        await asyncio.gather(work, crowd)
        await scene.until_phase("busy", "asleep")


async def while_stopping(scene: Scene) -> None:
    await scene.visitors.ask("clingy", "get")
    async with scene.slept_by_hand("clingy"):
        await scene.moment_of("clingy", "stopping")
        await scene.kill_control_plane_for(scene.draw.uniform(0, 2), "clingy", "stopping")
        await scene.until_phase("clingy", "asleep")


async def at_any_moment(scene: Scene) -> None:
    """Soon after it came back, as often as not: nothing may hang on a calm beginning."""
    for pause in (scene.draw.uniform(0, 1), scene.draw.uniform(0, 0.2)):
        await asyncio.sleep(pause)
        await scene.kill_control_plane_for(scene.draw.uniform(0, 0.5), "", "at any moment")


TROUBLES = [
    Trouble("kill the control plane while awake", while_awake),
    Trouble("kill the control plane while hundreds wait", while_hundreds_wait),
    Trouble("kill the control plane while draining", while_draining),
    Trouble("kill the control plane while stopping", while_stopping),
    Trouble("kill the control plane at any moment, twice", at_any_moment),
]
