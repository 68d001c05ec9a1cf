"""A machine that goes away, and providers that would remember what was on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import a_house
from tests.control.test_machines import APP, World
from tests.control.virtual_time import in_virtual_time, until

from poorwill.errors import Temporary
from poorwill.providers.base import Handle, Surroundings
from poorwill.providers.machine import MachineProvider, Options


class Remembering(FakeProvider):
    """Counts how often it was told that all is lost; ``trouble`` is raised then."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.losses = 0
        self.trouble: Exception | None = None

    async def lost(self) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.losses += 1


@in_virtual_time
async def test_it_is_told_once_for_each_time_the_machine_is_off(tmp_path: Path) -> None:
    world = World()
    app = Remembering(world.clouds[APP])
    async with a_house(tmp_path, front=world.front) as house:
        await world.move_in(house, app={"provider": app, "handles": {"app-1": Handle("app-1")}})
        await until(lambda: app.losses == 1, 10, "told at the first look")
        await asyncio.sleep(100)
        world.front.ask(APP)
        await house.becomes("awake", name=APP)
        assert (app.losses, app.adopted) == (1, {}), "a handle from before is no use"
        world.power_cut()
        await until(lambda: app.losses == 2, 30)
        world.front.ask(APP)
        await house.becomes("awake", 120, APP)
        assert app.losses == 2


@in_virtual_time
async def test_one_that_cannot_forget_is_unknown_and_told_again(tmp_path: Path) -> None:
    world = World()
    app = Remembering(world.clouds[APP])
    async with a_house(tmp_path, front=world.front) as house:
        facts = await world.move_in(house, app={"provider": app})
        for trouble in (Temporary("the disk is full"), ValueError("a mistake")):
            app.trouble, app.losses = trouble, 0
            await until(lambda: str(app.trouble) in facts[APP].look_error, 60)
        app.trouble = None
        await until(lambda: app.losses == 1 and not facts[APP].look_error, 60)
        assert house.phase(APP) == "asleep"


@in_virtual_time
async def test_what_the_machine_starts_by_itself_is_asked_again_after_each_boot(tmp_path: Path) -> None:
    world = World()
    asked: list[str] = []

    async def ask(failed: Callable[[str], None]) -> None:
        asked.append("asked")
        while not world.gpu.answers():
            failed("it does not answer")
            await asyncio.sleep(0.05)

    around = Surroundings("gateway", APP, tmp_path, tmp_path, lambda: None)
    provider = MachineProvider(Options(), around)
    async with a_house(tmp_path / "journal", front=world.front) as house:
        facts = await world.move_in(house, app={"provider": provider, "probe": ask})
        world.front.ask(APP)
        await house.becomes("awake", name=APP)
        life = facts[APP].places["app-1"].ready_life
        world.power_cut()
        await until(lambda: house.phase(APP) != "awake", 30)
        world.front.ask(APP)
        await until(lambda: world.gpu.count("start") == 2, 60)
        await house.becomes("awake", 120, APP)
        assert asked == ["asked", "asked"]
        assert facts[APP].places["app-1"].ready_life not in (None, life)
