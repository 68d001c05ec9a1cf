"""Machines and what lives on them, services and what they need: the order of coming and going."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import FakeFront, House, a_house
from tests.control.virtual_time import in_virtual_time, running, until

from poorwill import clock
from poorwill.control import restore
from poorwill.control.facts import Ask, Facts, Tenancy
from poorwill.core.door import Asked
from poorwill.core.model import Service
from poorwill.errors import NoCapacity
from poorwill.providers.base import Handle
from poorwill.store.journal import Kind, Restored, RestoredInstance

GPU, APP, MODEL = "gpu", "app", "model"
IDLE, LINGER = 60.0, 120.0


class BrokenLaw(BaseException):
    """No Exception: the control room catches those of its providers."""


class World:
    """A machine with two services on it, of which one needs the other; outlives control planes."""

    def __init__(self) -> None:
        self.clouds = {GPU: Cloud(), APP: Cloud(), MODEL: Cloud()}
        self.front = FakeFront()
        self.order: list[str] = []
        for name, cloud in self.clouds.items():
            cloud.on_start = self._noting(f"start {name}", name)
            cloud.on_stop = self._noting(f"stop {name}", name)
        self.clouds[GPU].weather.running_after = 5.0
        self.clouds[GPU].weather.ready_after = 20.0

    @property
    def gpu(self) -> Cloud:
        return self.clouds[GPU]

    def _noting(self, words: str, name: str) -> Callable[[str], None]:
        def note(_: str) -> None:
            self.order.append(words)
            if words.startswith("start") and name != GPU and not self.gpu.answers():
                raise BrokenLaw(f"{words} on a machine that is not there")
            left = [other for other in (APP, MODEL) if self.clouds[other].copy() is not None]
            if words == f"stop {GPU}" and self.gpu.copy() is not None and left:
                raise BrokenLaw(f"{words} with {left} on it")

        return note

    def answers(self, name: str) -> Ask:
        async def ask(failed: Callable[[str], None]) -> None:
            while not self.clouds[name].answers():
                failed("it does not answer")
                await asyncio.sleep(0.05)

        return ask

    def power_cut(self) -> None:
        """The machine goes away, and with it what is on it."""
        for cloud in self.clouds.values():
            cloud.crash()

    async def move_in(self, house: House, **more: Any) -> dict[str, Facts]:
        past = await house.journal.restore()
        return {
            GPU: self.add(house, GPU, past, tenancy=Tenancy.MACHINE, has_door=False, **more.get(GPU, {})),
            MODEL: self.add(house, MODEL, past, machine=GPU, has_door=False, **more.get(MODEL, {})),
            APP: self.add(house, APP, past, machine=GPU, needs=(MODEL,), **more.get(APP, {})),
        }

    def add(self, house: House, name: str, past: Any, **more: Any) -> Facts:
        restored = past.get(name, Restored())
        place = restore.place(
            f"{name}-1", restored.instances.get(f"{name}-1", RestoredInstance()), clock.now()
        )
        idle = LINGER if name == GPU else IDLE
        given: dict[str, Any] = {
            "rules": Service(name, idle_after=idle, drain=10.0, start_timeout=60.0),
            "provider": FakeProvider(self.clouds[name]),
            "probe": self.answers(name),
            "places": {place.id: place},
            "watched_from": clock.now().wall,
        }
        return house.add(restored, name, **{**given, **more})


async def woken(house: House, world: World) -> None:
    """Somebody waits for the app until it is awake."""
    world.front.ask(APP)
    await house.becomes("awake", name=APP)


async def asleep(house: House, within: float = 600.0) -> None:
    await until(
        lambda: all(house.phase(name) == "asleep" for name in (GPU, MODEL, APP)), within, "all is asleep"
    )


@in_virtual_time
async def test_the_machine_first_then_what_is_needed_and_all_back_in_turn(tmp_path: Path) -> None:
    world = World()
    async with a_house(tmp_path, front=world.front) as house:
        facts = await world.move_in(house)
        await asleep(house)
        assert world.order == []
        world.front.ask(APP)
        begun = running().time()
        await house.becomes("waking", name=APP)
        await until(lambda: facts[APP].decision and "waits for gpu" in facts[APP].decision.reason, 5)
        await house.becomes("awake", name=APP)
        took = running().time() - begun
        assert world.order == ["start gpu", "start model", "start app"]
        world.front.askeds[APP] = Asked(0, running().time())
        await asleep(house)
        assert world.order[3:] == ["stop app", "stop model", "stop gpu"]
        (ready,) = [event for event in await house.events(Kind.READY) if event.service == APP]
        assert ready.detail["seconds"] == pytest.approx(took, abs=1), "what the visitor waited, boot included"
        assert list(facts[APP].wakes) == [pytest.approx(took, abs=1)]


@in_virtual_time
async def test_it_stays_on_for_a_while_counted_from_the_last_need(tmp_path: Path) -> None:
    world = World()
    async with a_house(tmp_path, front=world.front) as house:
        await world.move_in(house)
        await woken(house, world)
        world.front.askeds[APP] = Asked(0, running().time())
        await house.becomes("asleep", 200, MODEL)
        begun = running().time()
        await house.becomes("asleep", 300, GPU)
        assert running().time() - begun == pytest.approx(LINGER, abs=2)


@in_virtual_time
async def test_a_need_that_is_over_wakes_nothing(tmp_path: Path) -> None:
    """Somebody puts the machine to sleep and gives it back: nothing on it is wanted."""
    world = World()
    async with a_house(tmp_path, front=world.front) as house:
        await world.move_in(house)
        await woken(house, world)
        world.front.askeds[APP] = Asked(0, running().time())
        await house.desk.sleep(GPU, "by ada")
        await asleep(house)
        stopped = len(world.order)
        world.front.askeds.clear()
        await house.desk.auto(GPU, "by ada")
        await asyncio.sleep(300)
        assert world.order[stopped:] == []


@in_virtual_time
async def test_put_to_sleep_it_takes_along_what_is_on_it_and_waits_for_open_work(tmp_path: Path) -> None:
    world = World()
    async with a_house(tmp_path, front=world.front) as house:
        facts = await world.move_in(house)
        await woken(house, world)
        now = running().time()
        world.front.traffics[APP] = _busy(now)
        await house.desk.sleep(GPU, "by ada")
        await house.becomes("draining", 20, APP)
        await asyncio.sleep(200)
        assert world.gpu.count("stop") == 0, "work is open"
        assert facts[APP].decision is not None
        assert facts[APP].decision.reason == "put to sleep with its machine, by ada"
        world.front.traffics[APP] = _busy(now, busy=0)
        await asleep(house)
        assert world.order[-3:] == ["stop app", "stop model", "stop gpu"] or world.order[-1] == "stop gpu"
        world.front.ask(APP)
        await asyncio.sleep(60)
        assert house.phase(APP) == "asleep"
        assert world.front.shown[APP]["refusal"] == "by_hand"


@in_virtual_time
async def test_while_nobody_knows_whether_it_runs_nothing_on_it_is_touched(tmp_path: Path) -> None:
    world = World()
    async with a_house(tmp_path, front=world.front) as house:
        await world.move_in(house)
        await woken(house, world)
        world.front.askeds[APP] = Asked(0, running().time())
        world.gpu.weather.looking = "error"
        await house.becomes("unknown", 120, GPU)
        await house.becomes("unknown", 60, APP)
        before = list(world.order)
        await asyncio.sleep(1000)
        assert world.order == before
        world.gpu.weather.looking = "ok"
        await asleep(house)


@in_virtual_time
async def test_it_vanishes_and_what_was_on_it_comes_back_when_it_is_wanted(tmp_path: Path) -> None:
    world = World()
    async with a_house(tmp_path, front=world.front) as house:
        await world.move_in(house)
        await woken(house, world)
        world.order.clear()
        world.power_cut()
        await until(lambda: house.phase(APP) != "awake", 30)
        world.front.ask(APP)
        await house.becomes("awake", 120, APP)
        assert world.order == ["start gpu", "start model", "start app"]
        crashed = {event.service for event in await house.events(Kind.CRASHED)}
        assert crashed == {GPU, MODEL, APP}


@in_virtual_time
async def test_without_stock_it_is_asked_at_the_pace_the_cloud_names(tmp_path: Path) -> None:
    world = World()

    class Stockless(FakeProvider):
        async def start(self, instance: str, prepared: Any) -> Handle:
            if self.cloud.count("start") < 5:
                self.cloud.calls.append(("start", clock.now().mono))
                raise NoCapacity("no GPU is free", delay=30.0)
            return await super().start(instance, prepared)

    async with a_house(tmp_path, front=world.front) as house:
        facts = await world.move_in(house, gpu={"provider": Stockless(world.gpu)})
        world.front.ask(APP)
        await until(lambda: world.gpu.count("start") == 2, 60)
        assert facts[APP].decision is not None
        assert "waits for gpu, which is failed (the last start failed: no GPU is free)" in (
            facts[APP].decision.reason
        )
        await house.becomes("awake", 400, APP)
        asked = [at for call, at in world.gpu.calls if call == "start"]
        pauses = [later - earlier for earlier, later in itertools.pairwise(asked)][:4]
        assert pauses == [pytest.approx(30, abs=1)] * 4


@in_virtual_time
@pytest.mark.parametrize("after", [0.01, 3.0, 12.0, 21.0, 22.5, 30.0])
@pytest.mark.parametrize("away", [0.5, 10.0, 40.0])
async def test_the_control_plane_dies_while_it_all_comes_up(
    tmp_path: Path, after: float, away: float
) -> None:
    world = World()
    async with a_house(tmp_path, front=world.front) as house:
        await world.move_in(house)
        world.front.ask(APP)
        await until(lambda: world.order == ["start gpu"], 10)
        await asyncio.sleep(after)
    await asyncio.sleep(away)
    async with a_house(tmp_path, front=world.front) as house:
        await world.move_in(house)
        world.front.ask(APP)
        await house.becomes("awake", 200, APP)
        lives = {name: len({copy.life for _, copy in cloud._copies if copy}) for name, cloud in _all(world)}
        assert lives == {GPU: 1, MODEL: 1, APP: 1}, "nothing was started twice"
        world.front.askeds[APP] = Asked(0, running().time())
        await asleep(house)


@in_virtual_time
async def test_a_machine_that_leaves_the_configuration_goes_after_what_is_on_it(tmp_path: Path) -> None:
    from poorwill.app.reload import retire

    world = World()
    async with a_house(tmp_path, front=world.front) as house:
        facts = await world.move_in(house)
        await woken(house, world)
        world.order.clear()
        for one in facts.values():
            retire(one)
            house.reconciler.nudge(one.name)
        await until(lambda: len(house.forgotten) == 3, 120)
        assert house.forgotten[-1] == GPU
        assert world.order[-1] == "stop gpu"
        assert house.reconciler.services == {}


@in_virtual_time
async def test_what_is_needed_may_be_put_to_sleep_all_the_same(tmp_path: Path) -> None:
    world = World()
    async with a_house(tmp_path, front=world.front) as house:
        facts = await world.move_in(house)
        await house.desk.sleep(MODEL, "by ada")
        world.front.ask(APP)
        await house.becomes("awake", 60, GPU)
        await asyncio.sleep(30)
        assert house.phase(APP) == "waking"
        assert facts[APP].decision is not None
        assert "waits for model, which is asleep" in facts[APP].decision.reason
        await house.desk.auto(MODEL, "by ada")
        await house.becomes("awake", 30, APP)


def _all(world: World) -> list[tuple[str, Cloud]]:
    return list(world.clouds.items())


def _busy(at: float, busy: int = 1) -> Any:
    from poorwill.core.door import Traffic

    return Traffic(busy=busy, last_activity=at, quiet_since=None if busy else at, read_at=at, previous_at=at)


@in_virtual_time
async def test_a_provider_is_told_once_each_time_its_machine_went_away(tmp_path: Path) -> None:
    world = World()
    told: list[float] = []

    class Minded(FakeProvider):
        async def lost(self) -> None:
            told.append(running().time())

    async with a_house(tmp_path, front=world.front) as house:
        await world.move_in(house, app={"provider": Minded(world.clouds[APP])})
        await asleep(house)
        await until(lambda: len(told) == 1, 10, "nobody knows what was remembered")
        await woken(house, world)
        assert len(told) == 1
        world.power_cut()
        await until(lambda: len(told) == 2, 60)
        world.front.ask(APP)
        await house.becomes("awake", 200, APP)
        world.front.askeds[APP] = Asked(0, running().time())
        await asleep(house)
        await until(lambda: len(told) == 3, 10)
