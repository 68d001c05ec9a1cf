"""Services with several instances: bursts, and one of them that fails, dies, or goes while others stay."""

from __future__ import annotations

import asyncio
import time

from tests.acceptance.chaos.record import Asked, Happened
from tests.acceptance.chaos.scene import Scene
from tests.acceptance.chaos.tenants import LIGHT, LOYAL, WIDE, one_broken, one_deaf
from tests.acceptance.chaos.troubles import Trouble

CROWD = 12
"""Requests that make it want all its instances."""


async def while_it_scales_out(scene: Scene) -> None:
    """In a burst of visitors of all kinds."""
    await scene.asleep_by_hand(WIDE)
    before = len(scene.lines(WIDE))
    crowd = asyncio.gather(_crowd(scene), *(scene.visitors.ask(WIDE, kind) for kind in LIGHT * 6))
    await scene.moment(lambda: _begun(scene, f"{WIDE}-2", before), "its second instance is started")
    await scene.kill_control_plane_for(scene.draw.uniform(0, 1), WIDE, "scaling out")
    await crowd


async def while_it_scales_in(scene: Scene) -> None:
    """Visitors who stay with the one that goes keep it there; the others do not."""
    await _two_of_the_loyal(scene)
    await scene.moment_of_instances(LOYAL, 1, "draining")
    stay = asyncio.gather(*(_returns(scene, 4) for _ in range(2)))
    await scene.kill_control_plane_for(scene.draw.uniform(0, 1), LOYAL, "scaling in")
    await stay


async def crash_one(scene: Scene) -> None:
    """The others go on, and take what comes; every other time without anybody who could tell Envoy. Then who
    needs a slot that is not free waits for the control plane.
    """
    name, work = await _two_at_work(scene)
    alone = scene.draw.random() < 0.5
    if alone:
        await scene.kill_control_plane(name, "before one of several")
    more = await _crash(scene, name, "one of several, alone" if alone else "one of several")
    if alone:
        await scene.revive()
    await asyncio.gather(work, more)


async def one_is_missing(scene: Scene) -> None:
    """The second cannot start, or never answers. Everybody is answered by the others; nobody is told to come
    again.
    """
    how, which = scene.draw.choice([("cannot start", one_broken), ("never ready", one_deaf)])
    await scene.asleep_by_hand(WIDE)
    at, file = time.monotonic(), which(scene.folder, f"{WIDE}-2")
    file.touch()
    crowd = _crowd(scene)
    try:
        await scene.moment(lambda: _failed(scene, f"{WIDE}-2", at), "its second instance failed")
    finally:
        file.unlink()
        scene.note(Happened.ONE_FAILED, at, WIDE, how)
    await crowd


def _begun(scene: Scene, instance: str, before: int) -> bool:
    """Since there were so many lines in the diary."""
    return any(line.instance == instance and line.what == "start" for line in scene.lines(WIDE)[before:])


def _failed(scene: Scene, instance: str, since: float) -> bool:
    return any(
        event.kind == "failed" and event.instance == instance and event.mono > since
        for event in scene.read_journal()
    )


async def _two_at_work(scene: Scene) -> tuple[str, asyncio.Future[list[Asked]]]:
    """Two of one of the services are awake, and have open work; says which service that is."""
    name = scene.draw.choice([WIDE, LOYAL])
    if name == LOYAL:
        await _two_of_the_loyal(scene)
    before = len(scene.lines(name))
    work = _crowd(scene, name)
    await scene.moment_of_instances(name, 2, "awake")
    await scene.moment(lambda: len(scene.lines(name)) > before, "it works")
    return name, work


async def _crash(scene: Scene, service: str, phase: str) -> asyncio.Future[list[Asked]]:
    """Returns requests that come just then."""
    if pids := scene.living(service):
        await scene.kill_process(service, scene.draw.choice(pids), phase)
    kinds = [kind for kind in ("get", "post") for _ in range(3)]
    more = asyncio.gather(*(scene.visitors.ask(service, kind) for kind in kinds))
    await asyncio.sleep(scene.draw.uniform(0, 0.5))
    return more


def _crowd(scene: Scene, service: str = WIDE) -> asyncio.Future[list[Asked]]:
    return asyncio.gather(*(scene.visitors.ask(service, "work") for _ in range(CROWD)))


async def _two_of_the_loyal(scene: Scene) -> None:
    """By what its visitors do, who come again and again until there are two."""
    over = asyncio.Event()

    async def stay() -> None:
        while not over.is_set():
            await scene.visitors.ask(LOYAL, "regular")

    staying = asyncio.gather(*(stay() for _ in range(4)))
    try:
        await scene.moment_of_instances(LOYAL, 2, "awake")
    finally:
        over.set()
        await staying


async def _returns(scene: Scene, times: int) -> None:
    for _ in range(times):
        await scene.visitors.ask(LOYAL, "regular")


TROUBLES = [
    Trouble("kill the control plane while one scales out", while_it_scales_out),
    Trouble("kill the control plane while one of several drains", while_it_scales_in),
    Trouble("crash one of several", crash_one),
    Trouble("let the second of several fail", one_is_missing),
]
