"""Envoy is killed with requests open in it; with and without a control plane."""

from __future__ import annotations

import asyncio

from tests.acceptance.chaos.record import Asked
from tests.acceptance.chaos.scene import Scene
from tests.acceptance.chaos.troubles import Trouble


async def alone(scene: Scene) -> None:
    asked = await _open_requests(scene)
    await scene.kill_envoy("control plane alive")
    await asked


async def without_control_plane(scene: Scene) -> None:
    asked = await _open_requests(scene)
    await scene.kill_control_plane("busy", "before envoy")
    await scene.kill_envoy("control plane dead")
    await asked
    await scene.revive()


async def _open_requests(scene: Scene) -> asyncio.Future[list[Asked]]:
    """Some that the service works on, one that is held."""
    before = len(scene.lines("busy"))
    kinds = (("busy", "work"), ("busy", "sse"), ("slow", "get"))
    asked = asyncio.gather(*(scene.visitors.ask(name, kind) for name, kind in kinds))
    await scene.moment_of_work("busy", before)
    return asked


TROUBLES = [
    Trouble("kill envoy", alone),
    Trouble("kill envoy while the control plane is dead", without_control_plane),
]
