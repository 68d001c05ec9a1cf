"""Services with several instances: bursts, and one of them that fails, dies, or goes while others stay."""

from __future__ import annotations

import asyncio
import time

from tests.acceptance.chaos.record import Asked, Happened
from tests.acceptance.chaos.scene import Scene
from tests.acceptance.chaos.tenants import LIGHT, LOYAL, WIDE, one_broken, one_deaf
from tests.acceptance.chaos.troubles import Trouble
from tests.acceptance.running import until

CROWD = 12
"""Requests that make it want all its instances."""


async def while_it_scales_out(scene: Scene) -> None:
    await scene.asleep_by_hand(WIDE)
    crowd = _crowd(scene)
    await until(lambda: _begun(scene, f"{WIDE}-2"), "its second instance is started", every=0.005)
    await scene.kill_control_plane_for(scene.draw.uniform(0, 1), WIDE, "scaling out")
    await crowd


async def while_it_scales_in(scene: Scene) -> None:
    """Visitors who stay with the one that goes keep it there; the others do not."""
    await _two_of_the_loyal(scene)
    await scene.until_instances(LOYAL, 1, "draining")
    stay = asyncio.gather(*(_returns(scene, 4) for _ in range(2)))
    await scene.kill_control_plane_for(scene.draw.uniform(0, 1), LOYAL, "scaling in")
    await stay


async def crash_one(scene: Scene) -> None:
    """The others go on, and take what comes."""
    asked = await _crash(scene, await _two(scene), "one of several")
    await asked


async def crash_one_alone(scene: Scene) -> None:
    """Nobody is there to tell Envoy, and who needs a slot that is not free waits for the control plane."""
    name = await _two(scene)
    await scene.kill_control_plane(name, "before one of several")
    asked = await _crash(scene, name, "one of several, alone")
    await scene.revive()
    await asked


async def one_is_missing(scene: Scene) -> None:
    """The second cannot start, or never answers. Everybody is answered by the others; nobody is told to come
    again.
    """
    how, which = scene.draw.choice([("cannot start", one_broken), ("never ready", one_deaf)])
    await scene.asleep_by_hand(WIDE)
    at, file = time.monotonic(), which(scene.folder, f"{WIDE}-2")
    file.touch()
    crowd = _crowd(scene)
    await until(lambda: _failed(scene, f"{WIDE}-2", at), "its second instance failed", every=0.05)
    file.unlink()
    scene.note(Happened.ONE_FAILED, at, WIDE, how)
    await crowd


async def bursts(scene: Scene) -> None:
    """Again as it comes and goes."""
    for _ in range(2):
        await asyncio.gather(*(scene.visitors.ask(WIDE, scene.draw.choice(LIGHT)) for _ in range(30)))
        await asyncio.sleep(scene.draw.uniform(0, 1.2))  # nearly asleep, or not


def _begun(scene: Scene, instance: str) -> bool:
    return any(line.instance == instance and line.what == "start" for line in scene.lines(WIDE)[-20:])


def _failed(scene: Scene, instance: str, since: float) -> bool:
    return any(
        event.kind == "failed" and event.instance == instance and event.mono > since
        for event in scene.read_journal()
    )


async def _two(scene: Scene) -> str:
    """Two of one of the services are awake; says which service that is."""
    name = scene.draw.choice([WIDE, LOYAL])
    if name == LOYAL:
        await _two_of_the_loyal(scene)
    else:
        await scene.visitors.ask(WIDE, "get")
        crowd = _crowd(scene)
        await scene.until_instances(WIDE, 2, "awake")
        await crowd
    return name


async def _crash(scene: Scene, service: str, phase: str) -> asyncio.Future[list[list[Asked]]]:
    """With requests that it works on, and more that come now: these are returned."""
    before = len(scene.lines(service))
    asked = asyncio.gather(*(scene.visitors.ask(service, "work") for _ in range(6)))
    await until(lambda: len(scene.lines(service)) > before, "it works")
    if pids := scene.living(service):
        await scene.kill_process(service, scene.draw.choice(pids), phase)
    more = asyncio.gather(*(scene.visitors.ask(service, kind) for kind in ("get", "post") for _ in range(3)))
    await asyncio.sleep(scene.draw.uniform(0, 0.5))
    return asyncio.gather(asked, more)


def _crowd(scene: Scene) -> asyncio.Future[list[Asked]]:
    return asyncio.gather(*(scene.visitors.ask(WIDE, "work") for _ in range(CROWD)))


async def _two_of_the_loyal(scene: Scene) -> None:
    """By what its visitors do, who come again and again until there are two."""
    over = asyncio.Event()

    async def stay() -> None:
        while not over.is_set():
            await scene.visitors.ask(LOYAL, "regular")

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(stay())
        await scene.until_instances(LOYAL, 2, "awake")
        over.set()


async def _returns(scene: Scene, times: int) -> None:
    for _ in range(times):
        await scene.visitors.ask(LOYAL, "regular")


TROUBLES = [
    Trouble("kill the control plane while one scales out", while_it_scales_out),
    Trouble("kill the control plane while one of several drains", while_it_scales_in),
    Trouble("crash one of several", crash_one),
    Trouble("crash one of several while the control plane is dead", crash_one_alone),
    Trouble("let the second of several fail", one_is_missing),
    Trouble("bursts at a service with several instances", bursts),
]
