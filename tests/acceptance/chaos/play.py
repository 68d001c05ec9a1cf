"""The play: visitors come and go, fate strikes, and at the end everything is counted."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
from tests.acceptance.chaos.clock import Clock, can_be_set
from tests.acceptance.chaos.record import USED_UP, Record
from tests.acceptance.chaos.scene import Missed, Scene
from tests.acceptance.chaos.tenants import Tenant, contained, ordinary
from tests.acceptance.chaos.troubles import Trouble, all_troubles
from tests.acceptance.running import Up, until
from tests.docker_engine import DockerEngine

Say = Callable[[str], None]


async def play(
    folder: Path, *, seed: int, cycles: int, engine: DockerEngine | None = None, say: Say = lambda _: None
) -> Record:
    """Until so many cycles are through and every trouble has come at least once."""
    people = [*ordinary(folder), *([contained(engine)] if engine else [])]
    clock = Clock(folder) if can_be_set() else None
    gateway = Up(folder, {one.name: one.settings for one in people})
    gateway.variables = clock.variables if clock else {}
    try:
        await gateway.start()
        scene = Scene(gateway, people, seed, clock, engine)
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for tenant in people:
                tasks.create_task(_visit(scene, tenant, random.Random(f"{seed} {tenant.name}"), over))
            await _strike(scene, cycles, say)
            over.set()
        left = await _end(scene)
        return _record(scene, left)
    finally:
        await gateway.wipe()


async def _strike(scene: Scene, cycles: int, say: Say) -> None:
    deck: list[Trouble] = []
    began = time.monotonic()
    rounds = 0
    while deck or rounds == 0 or scene.cycles() < cycles:
        if not deck:
            deck = [trouble for trouble in all_troubles() if trouble.possible(scene)]
            scene.draw.shuffle(deck)
            rounds += 1
        trouble = deck.pop()
        told = f"{time.monotonic() - began:>5.0f} s, {scene.cycles():>4} cycles"
        say(f"{told}, {len(scene.visitors.asked):>6} requests: {trouble.name}")
        try:
            await trouble.strike(scene)
        except Missed as missed:
            say(f"    missed: {missed}")
            scene.missed.append(trouble.name)
            # A few: else nothing would be tried.
            assert len(scene.missed) <= 2 + rounds * len(all_troubles()) // 4, scene.missed
        await asyncio.sleep(scene.draw.uniform(0, 0.5))  # some calm between two blows


async def _visit(scene: Scene, tenant: Tenant, draw: random.Random, over: asyncio.Event) -> None:
    """Bursts, and silences long enough for a sleep, or nearly so: then they come while it goes to sleep."""
    while not over.is_set():
        for _ in range(draw.randint(1, 3)):
            burst = [draw.choice(tenant.kinds) for _ in range(draw.randint(1, 5))]
            asked = await asyncio.gather(*(scene.visitors.ask(tenant.name, kind) for kind in burst))
            if any(one.detail == USED_UP for one in asked):
                await asyncio.sleep(1)  # who is told so comes again later
        if draw.random() < 0.3:
            await asyncio.sleep(draw.uniform(0.9, 1.6))  # about idle_after
            continue
        with contextlib.suppress(AssertionError):  # others may keep it awake: then it goes on
            await until(
                lambda: _asleep_or_over(scene, tenant.name, over), f"{tenant.name} sleeps", 10, every=0.1
            )


async def _asleep_or_over(scene: Scene, name: str, over: asyncio.Event) -> bool:
    return over.is_set() or (await scene.phase(name) == "asleep" and name not in scene.slept)


async def _end(scene: Scene) -> list[str]:
    """Everything goes to sleep by itself, then the gateway goes down; returns what is left."""
    for name in scene.tenants:
        await scene.until_phase(name, "asleep")
    gateway, process = scene.gateway, scene.gateway.process
    assert process is not None
    await gateway.post("/api/v1/down")
    with contextlib.suppress(httpx2.TransportError):
        await gateway.post("/api/v1/down")
    await until(lambda: process.poll() is not None, "poorwill is down")
    gateway.process = None
    containers = scene.engine.run("ps", "--format", "{{.Names}}").split() if scene.engine else []
    return [*(" ".join(process.cmdline()) for process in gateway.left()), *containers]


def _record(scene: Scene, left: list[str]) -> Record:
    diaries = tuple(tenant.name for tenant in scene.tenants.values() if tenant.diary)
    return Record(
        asked=tuple(scene.visitors.asked),
        lines=tuple(line for name in diaries for line in scene.lines(name)),
        events=tuple(scene.read_journal()),
        incidents=tuple(scene.incidents),
        left=tuple(left),
        diaries=diaries,
        visits=tuple(scene.visitors.visits),
    )
