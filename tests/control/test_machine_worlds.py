"""Random lives of a machine with two services on it, under an unkind cloud: laws that hold in all of them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.control.fake_provider import FakeProvider, Weather
from tests.control.house import House, a_house
from tests.control.test_machines import APP, GPU, MODEL, BrokenLaw, World
from tests.control.virtual_time import running, virtual_loop

from poorwill.control.facts import Ask
from poorwill.core.door import Asked
from poorwill.errors import Temporary
from poorwill.providers.base import Handle, Sighting
from poorwill.store.journal import Kind

NAMES = (GPU, MODEL, APP)
FORESIGHT = 45.0
"""Seconds for which a fact about the machine may be acted on: ``stale_after``, and the looks around it."""

IN_THE_END = 2000.0
"""Seconds in which all troubles are over: the longest back-off, and a stop call that hangs, twice."""


@dataclass(slots=True)
class Guarded(FakeProvider):
    """Minds the laws. What lives on a machine cannot be reached while that does not answer."""

    world: Any = None
    name: str = ""

    async def start(self, instance: str, prepared: Any) -> Handle:
        with self._alone("start"):
            self._reach()
            return await FakeProvider.start(self, instance, prepared)

    async def stop(self, instance: str) -> None:
        with self._alone("stop"):
            left = [other for other in (APP, MODEL) if self.world.clouds[other].copy() is not None]
            if self.name == GPU and self.cloud.copy() is not None and left:
                raise BrokenLaw(f"the machine is stopped with {left} on it")
            self._reach()
            await FakeProvider.stop(self, instance)

    async def list(self) -> list[Sighting]:
        self._reach()
        return await FakeProvider.list(self)

    def _reach(self) -> None:
        if self.name == GPU or self.world.gpu.answers():
            return
        if running().time() - self.world.last_there > FORESIGHT:
            raise BrokenLaw(f"{self.name} is asked for on a machine that is long gone")
        raise Temporary("the machine cannot be reached")

    @contextmanager
    def _alone(self, call: str) -> Iterator[None]:
        """One call at a time for each instance of one control plane."""
        if self.name in self.world.calling:
            raise BrokenLaw(f"{call} {self.name} beside another call of it")
        self.world.calling.add(self.name)
        try:
            yield
        finally:
            self.world.calling.discard(self.name)


class UnkindWorld(World):
    """``last_there`` is when the machine last answered."""

    def __init__(self) -> None:
        super().__init__()
        self.last_there = -1e9
        self.calling: set[str] = set()
        self.gpu.on_gone = lambda: [self.clouds[name].crash() for name in (APP, MODEL)]
        for cloud in self.clouds.values():
            cloud.on_start = cloud.on_stop = lambda _: None

    def answers(self, name: str) -> Ask:
        async def ask(_failed: Callable[[str], None]) -> None:
            while not self.clouds[name].answers():
                await asyncio.sleep(0.5)

        return ask

    async def live(self, house: House) -> None:
        self.calling.clear()
        guarded = {name: {"provider": Guarded(self.clouds[name], world=self, name=name)} for name in NAMES}
        await self.move_in(house, **guarded)
        house.spawn(self._remember())

    async def _remember(self) -> None:
        while True:
            if self.gpu.answers():
                self.last_there = running().time()
            await asyncio.sleep(0.5)

    def kind(self) -> None:
        for name in NAMES:
            self.clouds[name].weather = Weather()


pauses = st.sampled_from([0.0, 0.3, 4.0, 25.0, 70.0, 200.0])
names = st.sampled_from(NAMES)
events = st.one_of(
    st.tuples(st.just("ask"), st.just(APP), st.sampled_from([0, 1])),
    st.tuples(st.just("crash"), names, st.none()),
    st.tuples(st.just("say"), names, st.sampled_from(["wake", "sleep", "auto"])),
    st.tuples(st.just("start"), names, st.sampled_from(["ok", "error", "error-but-done", "hang", "nothing"])),
    st.tuples(st.just("stop"), names, st.sampled_from(["ok", "later", "error", "hang-but-done", "nothing"])),
    st.tuples(st.just("looking"), names, st.sampled_from(["ok", "error", "hang"])),
    st.tuples(st.just("ready_after"), names, st.sampled_from([0.0, 5.0, 50.0, 1e9])),
    st.tuples(st.just("restart"), st.just(GPU), st.sampled_from([0.1, 20.0, 90.0])),
)
lives = st.lists(st.tuples(events, pauses), min_size=4, max_size=20)


async def _happens(world: UnkindWorld, house: House, what: str, name: str, how: Any) -> None:
    match what:
        case "ask":
            world.front.ask(name, how)
        case "crash":
            world.clouds[name].crash()
        case "say" if how == "auto":
            await house.desk.auto(name, "by ada")
        case "say" if how == "wake":
            await house.desk.wake(name, None, "by ada")
        case "say":
            await house.desk.sleep(name, "by ada")
        case _:
            setattr(world.clouds[name].weather, what, how)


async def _within(condition: Callable[[], bool], what: str) -> None:
    """Looks once a second: there are many lives."""
    deadline = running().time() + IN_THE_END
    while not condition():
        assert running().time() < deadline, f"not {what} in the end"
        await asyncio.sleep(1.0)


async def _lives(folder: Path, life: list[tuple[tuple[str, str, Any], float]]) -> None:
    world, rest = UnkindWorld(), [(("ask", APP, 1), 25.0), *life]  # troubles begin with all of it awake
    while rest:
        away = 0.0
        async with a_house(folder, front=world.front) as house:
            await world.live(house)
            while rest and not away:
                (what, name, how), pause = rest.pop(0)
                if what == "restart":
                    away = how
                else:
                    await _happens(world, house, what, name, how)
                await asyncio.sleep(pause)
        await asyncio.sleep(away)
    async with a_house(folder, front=world.front) as house:
        await world.live(house)
        world.kind()
        for name in NAMES:
            await house.desk.auto(name, "by ada")
        world.front.ask(APP)
        await _within(lambda: house.phase(APP) == "awake", "awake")
        world.front.askeds[APP] = Asked(0, running().time())
        await _within(lambda: all(house.phase(name) == "asleep" for name in NAMES), "all asleep")
        assert [name for name in NAMES if world.clouds[name].copy()] == []
        assert {
            event.reason for event in await house.events(Kind.CALL_FAILED) if "broke" in event.reason
        } == set()


@pytest.mark.slow
@settings(max_examples=15)
@given(life=lives)
def test_whatever_happens(life: list[tuple[tuple[str, str, Any], float]]) -> None:
    """Nothing is asked of a machine that is long gone, no machine is stopped under what lives on it, no call
    is made beside another, and once all are kind again who asks is served and all goes to sleep.
    """
    with tempfile.TemporaryDirectory() as folder, virtual_loop() as loop:
        loop.run_until_complete(_lives(Path(folder), life))
