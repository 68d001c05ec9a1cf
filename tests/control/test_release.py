"""Memory of a GPU that is not given back: the next start waits, but not for ever; in virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.control.house import House, a_house
from tests.control.one_card import MIN_AWAKE, Card0
from tests.control.virtual_time import in_virtual_time, until

from poorwill.errors import Temporary
from poorwill.providers.base import Ran
from poorwill.store.journal import Event, Kind


def smi(free: int, *holders: tuple[int, str, int], used: int = 400) -> Ran:
    """What nvidia-smi prints, in MiB: card 0 as told, card 1 full."""
    cards = f"0, GPU-aaaa, {free}, {used}, 24000\n1, GPU-bbbb, 0, 24000, 24000\n"
    apps = "".join(f"GPU-aaaa, {pid}, {memory}, {program}\n" for pid, program, memory in holders)
    return Ran(0, f"{cards}---\n{apps}GPU-bbbb, 77, 23000, other\n")


async def swap(card: Card0) -> None:
    """From ``chat`` to ``images``; returns when chat is gone and images may come."""
    await card.awake("chat")
    await asyncio.sleep(MIN_AWAKE)
    card.use("chat")
    card.house.front.ask("images")
    await until(lambda: not card.runs("chat"), 30.0)


async def alerts(house: House) -> list[Event]:
    return await house.events(Kind.ALERT)


@in_virtual_time
async def test_the_next_start_waits_until_the_memory_is_free(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat", 20)
        card.add("images", 20)
        full, error = smi(2000, (4711, "/usr/bin/python3", 21000)), Temporary("no answer")
        card.shell.said = [full, Ran(9, "NVIDIA-SMI has failed"), error, full, full, smi(23600)]
        await swap(card)
        assert card.shell.asked == 0, "nobody asks before something has left"
        await until(lambda: card.shell.asked == 3, 20.0)
        assert card.reason("images") == "requests are waiting; waits until the memory of GPU 0 is free"
        assert not card.runs("images")
        await house.becomes("awake", name="images")
        assert card.shell.asked == 6
        assert await alerts(house) == []


@in_virtual_time
async def test_not_for_ever_and_a_person_is_told_who_holds_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat", 20)
        card.add("images", 20)
        card.shell.said = [smi(2000, (4711, "/usr/bin/python3", 21000), (12, "[Not Found]", 300))]
        await swap(card)
        waited = await house.becomes("awake", name="images")
        assert 30.0 <= waited < 40.0
        (alert,) = await alerts(house)
        assert (alert.service, alert.detail["severity"], alert.detail["about"]) == (
            "images",
            "warning",
            "gpu",
        )
        assert alert.reason == (
            "GPU 0 has 2GB free, and images needs 20GB; it is held by process 4711 (python3, 22GB), "
            "process 12 ([Not Found], 314MB), and images is started all the same"
        )
        assert "nvidia-smi" in alert.detail["hint"]
        await asyncio.sleep(MIN_AWAKE)
        card.use("images")
        house.front.ask("chat")
        await until(lambda: not card.runs("images"), 30.0)
        assert await house.becomes("awake", name="chat") < 10.0, "nobody waits for the same ones again"
        assert len(await alerts(house)) == 1
        card.shell.said = [smi(23600)]
        await asyncio.sleep(MIN_AWAKE)
        card.use("chat")
        house.front.ask("images")
        await until(lambda: not card.runs("chat"), 30.0)
        await house.becomes("awake", name="images")
        assert (await alerts(house))[-1].reason == "over: GPU 0 has room again"


@in_virtual_time
async def test_a_whole_card_is_free_when_nothing_is_on_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat")
        card.add("images")
        card.shell.said = [smi(20000, (5, "python3", 200)), smi(3000, used=21000), smi(23600)]
        await swap(card)
        await house.becomes("awake", name="images")
        assert card.shell.asked == 3


@in_virtual_time
async def test_a_card_that_tells_nothing_delays_only_so_long(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat")
        card.add("images")
        card.shell.said = [Ran(0, "0, GPU-aaaa, [N/A], [N/A], [N/A]\n---\n")]
        await swap(card)
        assert await house.becomes("awake", name="images") < 10.0
        card.shell.said = [Ran(9, "NVIDIA-SMI has failed because it could not talk to the driver")]
        await asyncio.sleep(MIN_AWAKE)
        card.use("images")
        house.front.ask("chat")
        await until(lambda: not card.runs("images"), 30.0)
        assert 30.0 <= await house.becomes("awake", name="chat") < 45.0
        assert await alerts(house) == []


@in_virtual_time
async def test_where_nobody_can_log_in_nobody_is_asked(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat", shell=None)
        card.add("images", shell=None)
        await swap(card)
        assert await house.becomes("awake", name="images") < 10.0
