"""Starts and stops that go wrong, and instances that die: what the loop makes of an unkind place."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from tests.control.fake_provider import FOREVER, Cloud, FakeProvider
from tests.control.house import NAME, RULES, a_house
from tests.control.virtual_time import in_virtual_time, running, until

from poorwill.core.door import GateState, Traffic
from poorwill.core.model import Hand, HandKind
from poorwill.store.journal import Kind

LIFE = (Kind.START, Kind.STARTED, Kind.READY, Kind.STOP, Kind.STOPPED, Kind.FAILED, Kind.CRASHED)


def now() -> float:
    return running().time()


# --- starts that go wrong ---------------------------------------------------------------------------


@in_virtual_time
async def test_a_start_that_fails_is_retried_with_growing_pauses(tmp_path: Path) -> None:
    cloud = Cloud()
    cloud.weather.start = "error"
    async with a_house(tmp_path, cloud) as house:
        house.add()
        await house.becomes("asleep")
        house.front.ask()
        await until(lambda: cloud.count("start") == 11, 3_000)
        starts = [at for call, at in cloud.calls if call == "start"]
        gaps = [round(after - before) for before, after in itertools.pairwise(starts)]
        assert gaps == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
        assert house.front.shown[NAME]["trouble"]
        assert house.phase() in ("failed", "waking")
        failed = await house.events(Kind.FAILED)
        assert [event.detail["streak"] for event in failed][:10] == list(range(1, 11))
        assert {event.reason for event in failed} == {"the call failed (error)"}
        cloud.weather.start = "ok"
        await house.becomes("awake", 310)


@in_virtual_time
async def test_a_start_that_nobody_waits_for_any_more_is_given_up(tmp_path: Path) -> None:
    cloud = Cloud()
    cloud.weather.start = "error"
    async with a_house(tmp_path, cloud) as house:
        house.add()
        await house.becomes("asleep")
        house.front.ask()
        await house.becomes("failed")
        house.front.ask(waiting=0)
        await house.becomes("asleep", 130)
        count = cloud.count("start")
        await asyncio.sleep(2_000)
        assert cloud.count("start") == count


@in_virtual_time
@pytest.mark.parametrize(
    ("weather", "reason"),
    [
        ({"ready_after": FOREVER}, "not ready within 40 s: it does not answer"),
        ({"running_after": FOREVER}, "not ready within 40 s"),
        ({"start": "hang"}, "the call did not return within 40 s"),
        ({"start": "hang-but-done", "ready_after": FOREVER}, "not ready within 40 s: it does not answer"),
        ({"start": "nothing"}, "the instance was not there after its start"),
        ({"start": "permanent"}, "no such machine type"),
        ({"dies_after": 0.0}, "the instance was not there after its start"),
    ],
)
async def test_a_start_that_comes_to_nothing_is_cleared_away_in_time(
    tmp_path: Path, weather: dict[str, object], reason: str
) -> None:
    async with a_house(tmp_path) as house:
        for name, value in weather.items():
            setattr(house.cloud.weather, name, value)
        house.add()
        await house.becomes("asleep")
        house.front.ask()
        took = await until(lambda: house.front.shown[NAME]["trouble"], 60)
        assert took <= RULES.start_timeout + 1
        await until(lambda: house.cloud.copy() is None, 10)
        (failed,) = await house.events(Kind.FAILED)
        assert failed.reason == reason
        assert house.front.gate(NAME).state is GateState.CLOSED


@in_virtual_time
async def test_a_start_that_failed_but_ran_all_the_same_is_used(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.cloud.weather.start = "error-but-done"
        house.add()
        await house.becomes("asleep")
        house.front.ask()
        await house.becomes("awake")
        assert house.cloud.count("start") == 1


@in_virtual_time
async def test_a_slow_cloud_is_not_asked_twice(tmp_path: Path) -> None:
    """It returns at once, begins 4 s later, and shows what it did 4 s after that."""
    async with a_house(tmp_path) as house:
        weather = house.cloud.weather
        weather.effect, weather.lag = 4.0, 4.0
        house.add(rules=replace(RULES, settle=10.0), provider=FakeProvider(house.cloud, settle=10.0))
        await house.becomes("asleep")
        house.front.ask()
        await house.becomes("awake", 30)
        await house.becomes("asleep", 120)
        assert (house.cloud.count("start"), house.cloud.count("stop")) == (1, 1)


# --- stops that go wrong ----------------------------------------------------------------------------


@in_virtual_time
@pytest.mark.parametrize("mode", ["error", "nothing"])
async def test_a_stop_that_does_not_take_is_asked_for_again_until_it_does(tmp_path: Path, mode: str) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        house.front.ask()
        await house.becomes("awake")
        house.cloud.weather.stop = mode
        await until(lambda: house.cloud.count("stop") == 9, 1_000)
        stops = [at for call, at in house.cloud.calls if call == "stop"]
        gaps = [round(after - before) for before, after in itertools.pairwise(stops)]
        assert gaps == [1, 2, 4, 8, 16, 32, 60, 60]
        assert house.phase() == "stopping"
        assert (await house.events(Kind.STOPPED)) == []
        assert len(await house.events(Kind.STOP)) == 1, "one intent, however often it is tried"
        house.cloud.weather.stop = "ok"
        await house.becomes("asleep", 70)
        assert len(await house.events(Kind.STOPPED)) == 1


@in_virtual_time
async def test_a_stop_that_hangs_is_given_up_and_asked_for_again(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        house.front.ask()
        await house.becomes("awake")
        house.cloud.weather.stop = "hang"
        await until(lambda: house.cloud.count("stop") == 1, 100)
        house.cloud.weather.stop = "ok"
        assert await house.becomes("asleep", 700) == pytest.approx(601, abs=1)
        (failed,) = await house.events(Kind.CALL_FAILED)
        assert failed.reason == "the call did not return within 600 s"


@in_virtual_time
async def test_who_comes_while_it_is_being_stopped_gets_the_next_life(tmp_path: Path) -> None:
    """A page visitor asks once and is not held: his wish must outlive the end of this life."""
    async with a_house(tmp_path) as house:
        house.cloud.weather.stop = "later"
        house.add()
        house.front.ask()
        await house.becomes("awake")
        await house.becomes("stopping", 90)
        house.front.ask()
        house.front.ask(waiting=0)
        await house.becomes("awake", 30)
        assert house.cloud.count("start") == 2


@in_virtual_time
async def test_a_sleep_is_called_off_by_who_comes_while_it_drains(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        house.front.ask()
        await house.becomes("awake")
        await house.becomes("draining", 90)
        house.front.ask()
        await house.becomes("awake", 1)
        assert house.cloud.count("stop") == 0
        assert house.front.calls == ["open", "close", "open"]


@in_virtual_time
async def test_a_busy_request_is_waited_for(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = house.add()
        house.front.ask()
        await house.becomes("awake")
        house.front.traffics[NAME] = Traffic(busy=1, last_activity=now(), read_at=now())
        facts.hand = Hand(HandKind.SLEEP, now())
        house.reconciler.nudge(NAME)
        await house.becomes("draining")
        await asyncio.sleep(3_600)
        assert house.phase() == "draining"
        house.front.traffics[NAME] = Traffic(read_at=now())
        await house.becomes("asleep", 5)


# --- crashes ----------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_crash_in_use_is_noticed_and_made_good(tmp_path: Path) -> None:
    """Nobody waits at this moment, but the last click is less than ``idle_after`` ago."""
    async with a_house(tmp_path) as house:
        house.add()
        house.front.ask()
        await house.becomes("awake")
        await asyncio.sleep(100 - 60)
        house.front.traffics[NAME] = replace(house.front.traffic(NAME), last_activity=now())
        house.front.askeds.clear()
        house.cloud.crash()
        await until(lambda: house.front.gate(NAME).state is GateState.CLOSED, 6)
        await house.becomes("awake", 20)
        phases = [event.detail["phase"] for event in await house.events(Kind.PHASE)]
        assert "asleep" not in phases[phases.index("awake") :]
        (crashed,) = await house.events(Kind.CRASHED)
        assert (crashed.reason, crashed.detail["streak"]) == ("it vanished", 1)


@in_virtual_time
async def test_a_crash_when_nobody_is_there_lets_it_sleep(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = house.add()
        facts.hand = Hand(HandKind.WAKE, now(), until=now() + 100)
        await house.becomes("awake")
        await asyncio.sleep(99)
        house.cloud.weather.looking = "error"
        house.cloud.crash()
        await asyncio.sleep(2)
        house.cloud.weather.looking = "ok"
        house.front.traffics.clear()
        await house.becomes("asleep", 20)
        assert house.cloud.count("start") == 1


@in_virtual_time
async def test_crashes_far_apart_are_not_a_row(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add(hand=Hand(HandKind.WAKE, now()))
        for _ in range(3):
            await house.becomes("awake")
            await asyncio.sleep(3_600)
            house.cloud.crash()
            await house.becomes("failed", 6)
        assert [event.detail["streak"] for event in await house.events(Kind.CRASHED)] == [1, 1, 1]


@in_virtual_time
async def test_a_crash_loop_is_slowed_down(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.cloud.weather.dies_after = 3.0
        house.add(hand=Hand(HandKind.WAKE, now()))
        await asyncio.sleep(3_600)
        assert 10 <= house.cloud.count("start") <= 22
        streaks = [event.detail["streak"] for event in await house.events(Kind.CRASHED, Kind.FAILED)]
        assert streaks == list(range(1, len(streaks) + 1))
