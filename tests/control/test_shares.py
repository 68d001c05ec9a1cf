"""Services that share a GPU, in the control room: in virtual time, with a provider of each's own."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import House, a_house
from tests.control.virtual_time import WALL, in_virtual_time, running, until
from tests.core.timetables import table

from poorwill import clock
from poorwill.control.facts import Facts, Tenancy
from poorwill.control.seat import Seat, remembered
from poorwill.core.allocate import TURNS
from poorwill.core.model import HandKind, Plan, Service, Traffic
from poorwill.core.share import Card, Share
from poorwill.errors import Temporary
from poorwill.providers.base import Ran
from poorwill.store.journal import Event, Kind

GB = 10**9
MIN_AWAKE = 100.0


class Shell:
    """A host with cards, as far as ``nvidia-smi`` tells; by default there is none."""

    def __init__(self) -> None:
        self.said: list[Ran | Exception] = [Ran(127, "sh: nvidia-smi: not found")]
        self.asked = 0

    async def run(self, _command: str, **_: Any) -> Ran:
        self.asked += 1
        await asyncio.sleep(0.2)
        said = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(said, Exception):
            raise said
        return said


class Card0:
    """Services on one GPU, each with a cloud of its own."""

    def __init__(self, house: House) -> None:
        self.house, self.shell = house, Shell()
        self.clouds: dict[str, Cloud] = {}

    def add(self, name: str, memory: int | None = None, **more: Any) -> Facts:
        self.clouds[name] = Cloud()
        shell: Any = more.pop("shell", self.shell)
        own = {key: more.pop(key) for key in ("priority", "min_awake") if key in more}
        cards = tuple(Card(one, memory=24 * GB) for one in more.pop("on", ("0",)))
        share = Share(cards, memory and memory * GB, **{"min_awake": MIN_AWAKE, **own})
        return self.house.add(
            name=name,
            **{
                "provider": FakeProvider(self.clouds[name]),
                "probe": None,
                "seat": Seat(share, shell),
                **more,
            },
        )

    def runs(self, name: str) -> bool:
        return self.clouds[name].copy() is not None

    def use(self, name: str, busy: int = 0) -> None:
        """Somebody uses it now; ``busy`` requests stay open."""
        now = clock.now().mono
        self.house.front.traffics[name] = Traffic(busy=busy, read_at=now, last_activity=now)
        self.house.reconciler.nudge(name)

    async def awake(self, name: str) -> None:
        self.house.front.ask(name)
        await self.house.becomes("awake", name=name)

    def reason(self, name: str) -> str:
        decision = self.house.reconciler.services[name].decision
        return decision.reason if decision else ""


@in_virtual_time
async def test_one_makes_room_for_the_other_when_its_work_is_done(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat")
        card.add("images")
        await card.awake("chat")
        card.use("chat", busy=1)
        house.front.ask("images")
        await asyncio.sleep(MIN_AWAKE / 2)
        assert (house.phase("chat"), house.phase("images")) == ("awake", "waking")
        assert card.reason("images") == (
            "requests are waiting; waits for GPU 0, which chat keeps until it was awake for 100s"
        )
        await house.becomes("draining", name="chat", within=MIN_AWAKE)
        assert card.reason("chat") == "makes room on GPU 0 for images"
        house.front.ask("chat")
        await asyncio.sleep(300.0)
        house.front.ask("images")
        assert house.phase("chat") == "draining", "open work is not cut"
        assert card.reason("images") == "requests are waiting; waits for GPU 0: chat makes room"
        card.use("chat")
        await house.becomes("awake", name="images")
        assert not card.runs("chat")
        assert house.phase("chat") == "waking", "its visitor waits for its next turn"
        starts = await house.events(Kind.START)
        stopped = next(one for one in await house.events(Kind.STOPPED) if one.service == "chat")
        assert stopped.id < next(one for one in starts if one.service == "images").id


@in_virtual_time
async def test_what_fits_is_awake_together_and_the_third_takes_the_place_of_who_rests(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        for name, memory in (("chat", 10), ("voice", 10), ("images", 12)):
            card.add(name, memory, rules=Service(name, idle_after=3600.0))
        await card.awake("chat")
        await card.awake("voice")
        await asyncio.sleep(MIN_AWAKE)
        card.use("chat")
        await card.awake("images")
        assert (card.runs("chat"), card.runs("voice")) == (True, False)


@in_virtual_time
async def test_two_that_are_always_asked_for_do_not_thrash(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat")
        card.add("images")
        for _ in range(200):
            for name in ("chat", "images"):
                if house.phase(name) == "awake":
                    card.use(name)
                house.front.ask(name, 0 if house.phase(name) == "awake" else 1)
            await asyncio.sleep(10.0)
            assert not (card.runs("chat") and card.runs("images"))
        starts = await house.events(Kind.START)
        assert 14 <= len(starts) <= 20
        assert {later.mono - early.mono >= MIN_AWAKE for early, later in pairwise(starts)} == {True}
        assert abs(sum(one.service == "chat" for one in starts) * 2 - len(starts)) <= 1


@in_virtual_time
async def test_a_lower_priority_gets_its_turn_late(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat", priority=1)
        card.add("batch")
        await card.awake("chat")
        begun = clock.now().mono
        while house.phase("batch") != "awake":
            card.use("chat")
            house.front.ask("batch")
            await asyncio.sleep(5.0)
            assert clock.now().mono < begun + (TURNS + 2) * MIN_AWAKE
        assert clock.now().mono >= begun + TURNS * MIN_AWAKE


@in_virtual_time
async def test_what_a_person_wants_is_not_sent_away_for_visitors(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat")
        card.add("images", priority=9)
        await house.becomes("asleep", name="chat")
        await house.desk.wake("chat", None, "by ada")
        await house.becomes("awake", name="chat")
        house.front.ask("images")
        await asyncio.sleep(10 * MIN_AWAKE)
        assert house.phase("chat") == "awake"
        house.front.ask("images")
        await asyncio.sleep(1.0)
        assert card.reason("images").endswith("waits for GPU 0, which chat uses (kept awake by ada)")
        await house.desk.wake("images", None, "by bob")
        await house.becomes("awake", name="images")
        assert card.reason("chat").endswith("waits for GPU 0, which images uses (kept awake by bob)")
        await asyncio.sleep(10 * MIN_AWAKE)
        assert house.phase("images") == "awake", "of two words the later one counts, and nothing swings"
        await house.desk.sleep("images", "by bob")
        await house.becomes("awake", name="chat")


@in_virtual_time
async def test_the_hours_of_one_end_the_use_of_the_other(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat")
        wall = clock.now().wall
        plan = Plan(HandKind.WAKE, wall + 500, wall + 900)
        card.add("report", plans=(plan,))
        await card.awake("chat")
        for _ in range(49):
            card.use("chat")
            await asyncio.sleep(10.0)
        assert house.phase("chat") == "awake"
        await house.becomes("awake", name="report", within=60)


@in_virtual_time
async def test_unknown_holds_its_place(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat")
        card.add("images")
        await card.awake("chat")
        card.clouds["chat"].weather.looking = "error"
        await house.becomes("unknown", name="chat")
        await asyncio.sleep(2 * MIN_AWAKE)
        house.front.ask("images")
        await asyncio.sleep(50.0)
        assert house.phase("images") == "waking"
        assert "nobody can tell" in card.reason("images") or "cannot stop now" in card.reason("images")
        assert not card.runs("images")
        card.clouds["chat"].weather.looking = "ok"
        house.front.ask("images")
        await house.becomes("awake", name="images", within=200)
        assert not card.runs("chat")


@in_virtual_time
async def test_a_stop_that_fails_keeps_the_other_waiting(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat")
        card.add("images")
        await card.awake("chat")
        card.clouds["chat"].weather.stop = "error"
        await asyncio.sleep(MIN_AWAKE)
        card.use("chat")
        house.front.ask("images")
        await house.becomes("stopping", name="chat")
        await asyncio.sleep(30.0)
        assert not card.runs("images")
        card.clouds["chat"].weather.stop = "ok"
        house.front.ask("images")
        await house.becomes("awake", name="images", within=100)


@in_virtual_time
async def test_one_that_fails_to_start_sends_nobody_away(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat")
        card.add("broken")
        card.clouds["broken"].weather.start = "error"
        house.front.ask("broken")
        await house.becomes("failed", name="broken")
        await card.awake("chat")
        for _ in range(int(3 * MIN_AWAKE / 10)):
            card.use("chat")
            house.front.ask("broken")
            await asyncio.sleep(10.0)
        assert house.phase("chat") == "awake"
        assert len(await house.events(Kind.STOP)) == 0


@in_virtual_time
async def test_what_needs_the_one_that_has_to_go_goes_first(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("model")
        card.add("images")
        card.clouds["app"] = Cloud()
        house.add(
            name="app",
            provider=FakeProvider(card.clouds["app"]),
            probe=None,
            needs=("model",),
            rules=Service("app", idle_after=3600.0),
        )
        await card.awake("app")
        assert card.runs("model")
        await asyncio.sleep(MIN_AWAKE)
        card.use("app")
        house.front.ask("images")
        await until(lambda: house.phase("app") == "draining", 5.0)
        assert card.reason("app") == "model makes room on GPU 0 for images"
        assert house.phase("model") == "awake"
        house.front.ask("app")
        await house.becomes("awake", name="images")
        stopped = [one.service for one in await house.events(Kind.STOPPED)]
        assert stopped == ["app", "model"]
        assert "waits for model" in card.reason("app")
        for _ in range(int(MIN_AWAKE / 10) + 1):
            card.use("images")
            await asyncio.sleep(10.0)
        house.front.ask("app")
        await house.becomes("awake", name="app")


@in_virtual_time
async def test_the_share_of_what_left_the_configuration_is_remembered(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        seat = card.add("chat", 10).seat
        assert seat is not None
        assert remembered(seat.memory()) == seat.share
        await house.becomes("asleep", name="chat")


@in_virtual_time
async def test_a_run_of_a_job_waits_for_its_turn_and_is_not_cut(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        running().wall_offset = 3600 - WALL % 3600 - 50.0  # its hour comes in 50 s
        hourly = table({"start": "0 * * * *", "until": "done"})
        rules = Service("report", start_timeout=40.0, timetable=hourly, job=True)
        more = {"tenancy": Tenancy.JOB, "has_door": False, "watched_from": clock.now().wall}
        card.add("chat")
        card.add("report", rules=rules, **more)
        await card.awake("chat")
        await asyncio.sleep(55.0)
        assert card.reason("report") == (
            "its run of 09:00 is due; waits for GPU 0, which chat keeps until it was awake for 100s"
        )
        card.clouds["report"].weather.dies_after = 400.0
        await until(lambda: card.runs("report"), 60.0)
        for _ in range(30):
            house.front.ask("chat")
            await asyncio.sleep(10.0)
            assert card.runs("report")
        assert card.reason("chat").endswith("which report uses (its run of 09:00 is under way)")
        house.front.ask("chat")
        await house.becomes("awake", name="chat", within=200)
        assert [one.service for one in await house.events(Kind.DONE)] == ["report"]


@in_virtual_time
async def test_who_has_a_card_of_another_number_is_no_mate(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        card = Card0(house)
        card.add("chat")
        card.add("images", on=("1", "2"))
        card.add("both", on=("0", "1"))
        await card.awake("chat")
        await card.awake("images")
        house.front.ask("both")
        await house.becomes("awake", name="both", within=2 * MIN_AWAKE)
        assert not card.runs("chat")
        assert not card.runs("images")


# --- memory that is not given back ---------------------------------------------------------------


def smi(free: int, *holders: tuple[int, str, int], used: int = 400) -> Ran:
    """What nvidia-smi prints, in MiB: card 0 as told, card 1 full."""
    cards = f"0, GPU-aaaa, {free}, {used}, 24000\n1, GPU-bbbb, 0, 24000, 24000\n"
    apps = "".join(f"GPU-aaaa, {pid}, {memory}, {program}\n" for pid, program, memory in holders)
    return Ran(0, f"{cards}---\n{apps}GPU-bbbb, 77, 23000, other\n")


async def swap(card: Card0, **asked: Any) -> None:
    """From ``chat`` to ``images``; returns when chat is gone and images asks for the card."""
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
