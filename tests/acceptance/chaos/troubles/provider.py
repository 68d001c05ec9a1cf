"""The place errs: it refuses, says it did and did not, loses the answer, goes dark."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.acceptance.chaos.scene import Scene
from tests.acceptance.chaos.tenants import weather
from tests.acceptance.chaos.troubles import Trouble
from tests.acceptance.running import until

_STARTS = ["error", "lost", "nothing", "dies"]
_STOPS = ["error", "lost", "nothing"]


async def bad_starts(scene: Scene) -> None:
    async with scene.failing("rented"):
        await scene.asleep_by_hand("rented")
        before = _tries(scene)
        _forecast(scene, starts=[scene.draw.choice(_STARTS), scene.draw.choice(_STARTS), "ok"])
        asked = asyncio.create_task(scene.visitors.ask("rented", "plain"))
        await until(lambda: _tries(scene) > before, "a start is tried")
        await asyncio.sleep(scene.draw.uniform(0, 1))
        _forecast(scene)
    await asked


async def bad_stops(scene: Scene) -> None:
    await scene.visitors.ask("rented", "plain")
    _forecast(scene, stops=[scene.draw.choice(_STOPS), "ok"])
    await scene.asleep_by_hand("rented")
    _forecast(scene)


async def dark(scene: Scene) -> None:
    """It tells nothing when the control plane comes back: nobody knows whether it runs, so nothing is
    started, nothing is stopped, and who asks waits or is served.
    """
    await scene.visitors.ask("rented", "plain")
    async with scene.failing("rented"):
        _forecast(scene, dark=True)
        await scene.kill_control_plane_for(0, "rented", "before a provider that is dark")
        await scene.until_phase("rented", "unknown")
        asked = asyncio.create_task(scene.visitors.ask("rented", "plain"))
        await asyncio.sleep(scene.draw.uniform(0, 1))
        _forecast(scene)
    await asked


def _forecast(scene: Scene, **keys: Any) -> None:
    file = weather(scene.folder)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(keys))
    fresh.replace(file)


def _tries(scene: Scene) -> int:
    return sum(event.kind == "start" and event.service == "rented" for event in scene.read_journal())


TROUBLES = [
    Trouble("let starts go wrong at the provider", bad_starts),
    Trouble("let stops go wrong at the provider", bad_stops),
    Trouble("let the provider go dark", dark),
]
