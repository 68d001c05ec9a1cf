"""Machines that somebody else started, what runs on them, and the end of Poorwill: whose is what."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.control.house import House, a_house
from tests.control.test_machine_and_tenants import MACHINE, TENANT, Rented
from tests.control.virtual_time import in_virtual_time, until

from poorwill.app.exit import Ending, Exit
from poorwill.app.reload import retire


async def run_by_others(house: House) -> Rented:
    """Somebody switched the machine on, and starts the service on it."""
    rented = Rented(house)
    await house.becomes("asleep", name=TENANT)
    rented.machine_cloud.begin(f"{MACHINE}-1", foreign=True)
    await house.becomes("awake", name=MACHINE)
    rented.cloud.begin(f"{TENANT}-1", foreign=True)
    await house.becomes("awake", name=TENANT)
    return rented


@in_virtual_time
async def test_what_starts_with_a_machine_of_ours_is_ours(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        rented = Rented(house)
        await house.becomes("asleep", name=MACHINE)
        await house.desk.wake(MACHINE, 100.0, "by anna")
        await house.becomes("awake", name=MACHINE)
        rented.cloud.begin(f"{TENANT}-1", foreign=True)
        await house.becomes("awake", name=TENANT)
        await house.becomes("asleep", 200, name=TENANT)
        await house.becomes("asleep", 200, name=MACHINE)
        assert (rented.machine_cloud.copy(), rented.cloud.copy()) == (None, None)


@in_virtual_time
async def test_a_machine_that_others_started_stays_with_all_that_they_run_on_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        rented = await run_by_others(house)
        await asyncio.sleep(1000)
        assert (house.phase(MACHINE), house.phase(TENANT)) == ("awake", "awake")
        assert rented.machine_cloud.count("stop") == rented.cloud.count("stop") == 0
        await house.desk.sleep(MACHINE, "by anna")  # it was named, and all that is on it with it
        await house.becomes("asleep", 100, name=MACHINE)
        assert (rented.machine_cloud.copy(), rented.cloud.copy()) == (None, None)
        assert rented.cloud.count("stop") > 0


@in_virtual_time
async def test_ours_on_a_machine_of_others_sleeps_and_the_machine_stays(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        rented = Rented(house)
        await house.becomes("asleep", name=TENANT)
        rented.machine_cloud.begin(f"{MACHINE}-1", foreign=True)
        await house.becomes("awake", name=MACHINE)
        house.front.ask(TENANT)
        await house.becomes("awake", name=TENANT)
        house.front.ask(TENANT, waiting=0)
        await house.becomes("asleep", 100, name=TENANT)
        await asyncio.sleep(300)
        assert house.phase(MACHINE) == "awake"
        assert rented.machine_cloud.count("start") == rented.machine_cloud.count("stop") == 0


@in_virtual_time
async def test_the_end_of_poorwill_leaves_what_others_started(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        rented = await run_by_others(house)
        ending = Ending(house.reconciler)
        ending.down()
        assert ending.how is Exit.DOWN
        async with asyncio.timeout(100):
            assert await ending.asleep()
        assert (house.phase(MACHINE), house.phase(TENANT)) == ("left", "left")
        assert ending.left == [TENANT, MACHINE]
        assert rented.machine_cloud.count("stop") == rented.cloud.count("stop") == 0


@in_virtual_time
async def test_what_left_the_configuration_and_is_not_ours_is_forgotten(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        rented = await run_by_others(house)
        for name in (TENANT, MACHINE):
            retire(house.reconciler.services[name])
            house.reconciler.nudge(name)
        await until(lambda: house.forgotten == [TENANT, MACHINE], 100)
        assert rented.machine_cloud.count("stop") == rented.cloud.count("stop") == 0
