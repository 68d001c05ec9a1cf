"""What lives on a machine, what needs others, and what they wait for: in virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import House, a_house
from tests.control.virtual_time import in_virtual_time, until

from poorwill import clock
from poorwill.app.exit import Ending, Exit
from poorwill.control.facts import Facts, Tenancy
from poorwill.core.door import Traffic
from poorwill.core.model import HandKind, Plan, Service
from poorwill.store.journal import Kind

MACHINE, TENANT = "box", "app"


class Rented:
    """A machine and a service on it, each with a cloud of its own."""

    def __init__(self, house: House, **tenant: Any) -> None:
        self.machine_cloud, self.cloud = Cloud(), Cloud()
        self.machine = house.add(
            name=MACHINE,
            rules=Service(MACHINE, idle_after=20.0, start_timeout=40.0),
            provider=FakeProvider(self.machine_cloud),
            probe=None,
            tenancy=Tenancy.MACHINE,
            has_door=False,
        )
        self.tenant: Facts = house.add(
            name=TENANT, provider=FakeProvider(self.cloud), probe=None, machine=MACHINE, **tenant
        )


def work(house: House, name: str, busy: int = 1) -> None:
    """Requests of the class ``busy`` are open."""
    now = clock.now().mono
    house.front.traffics[name] = Traffic(busy=busy, read_at=now, last_activity=now)


@in_virtual_time
async def test_a_machine_that_does_not_get_ready_in_time_is_given_up_though_somebody_waits_for_it(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        rented = Rented(house)
        rented.machine_cloud.weather.running_after = 1e9
        await house.becomes("asleep", name=TENANT)
        house.front.ask(TENANT)
        await until(lambda: rented.machine_cloud.count("stop") > 0, 60)
        assert (await house.events(Kind.FAILED))[0].service == MACHINE


@in_virtual_time
async def test_the_second_word_to_go_down_cuts_what_lives_on_a_machine(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        Rented(house)
        ending = Ending(house.reconciler)
        house.front.ask(TENANT)
        await house.becomes("awake", name=TENANT)
        work(house, TENANT)
        ending.down()
        await asyncio.sleep(300.0)
        assert house.phase(TENANT) == "draining"
        ending.down()
        await house.becomes("asleep", 5.0, TENANT)
        await house.becomes("asleep", 5.0, MACHINE)
        assert ending.how is Exit.DOWN
        assert await ending.asleep()


@in_virtual_time
async def test_the_second_word_gives_up_what_nobody_sees_and_the_machine_under_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        rented = Rented(house)
        ending = Ending(house.reconciler)
        house.front.ask(TENANT)
        await house.becomes("awake", name=TENANT)
        rented.cloud.weather.looking = "error"
        await house.becomes("unknown", name=TENANT)
        ending.down()
        ending.down()
        async with asyncio.timeout(60.0):
            assert not await ending.asleep()
        assert rented.machine_cloud.copy() is not None


@in_virtual_time
async def test_what_a_person_plans_for_a_machine_holds_for_what_lives_on_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        rented = Rented(house)
        house.front.ask(TENANT)
        await house.becomes("awake", name=TENANT)
        now = clock.now()
        rented.machine.plans = (Plan(HandKind.SLEEP, now.wall + 10.0, now.wall + 300.0),)
        house.reconciler.nudge(MACHINE)
        await house.becomes("asleep", 60.0, MACHINE)
        house.front.ask(TENANT)
        await asyncio.sleep(30.0)
        assert house.phase(TENANT) == "asleep"
        assert house.front.shown[TENANT]["refusal"] == "by_hand"
        await house.becomes("awake", 300.0, TENANT)


@in_virtual_time
async def test_a_wake_is_measured_from_when_it_was_asked_for_and_not_from_an_old_trouble(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        rented = Rented(house)
        house.front.ask(TENANT)
        await house.becomes("awake", name=TENANT)
        work(house, TENANT)
        rented.machine_cloud.weather.looking = "error"
        await house.becomes("unknown", name=MACHINE)
        rented.machine_cloud.weather.looking = "ok"
        await house.becomes("awake", name=MACHINE)
        await asyncio.sleep(3600.0)
        rented.cloud.crash()
        await until(lambda: len(rented.tenant.wakes) == 2, 60)
        assert max(rented.tenant.wakes) < 60


@in_virtual_time
async def test_going_down_stops_what_is_needed_after_what_needs_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        needed, cloud = Cloud(), Cloud()
        house.add(name="ollama", provider=FakeProvider(needed), probe=None, has_door=False)
        house.add(name=TENANT, provider=FakeProvider(cloud), probe=None, needs=("ollama",))
        ending = Ending(house.reconciler)
        house.front.ask(TENANT)
        await house.becomes("awake", name=TENANT)
        work(house, TENANT)
        ending.down()
        await asyncio.sleep(120.0)
        assert house.phase(TENANT) == "draining"
        assert needed.copy() is not None
        work(house, TENANT, 0)
        await house.becomes("asleep", 60.0, TENANT)
        await house.becomes("asleep", 60.0, "ollama")
        assert await ending.asleep()


@in_virtual_time
async def test_a_cut_waits_for_the_first_look(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.cloud.weather.list_takes = 3.0
        house.add()
        ending = Ending(house.reconciler)
        ending.down()
        ending.down()
        assert await ending.asleep(), "it was not left running: nobody had looked yet"


@in_virtual_time
async def test_a_cut_does_not_wait_for_a_provider_that_does_not_answer(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.cloud.weather.looking = "error"
        house.add()
        ending = Ending(house.reconciler)
        ending.down()
        ending.down()
        assert not await ending.asleep()
