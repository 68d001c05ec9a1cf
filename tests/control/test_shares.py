"""Services that share a GPU, in the control room: in virtual time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import a_house
from tests.control.one_card import MIN_AWAKE, Card0
from tests.control.virtual_time import WALL, in_virtual_time, running, until
from tests.core.timetables import table

from poorwill import clock
from poorwill.control.facts import Tenancy
from poorwill.control.seat import remembered
from poorwill.core.allocate import TURNS
from poorwill.core.model import HandKind, Plan, Service
from poorwill.store.journal import Kind


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
