"""The whole way of a service, from asleep to awake and back, against a place that is unkind."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.control.fake_provider import FOREVER, Cloud, FakeProvider
from tests.control.house import NAME, PLACE, PROBE, RULES, FakeFront, a_house
from tests.control.virtual_time import in_virtual_time, running, until

from poorwill.control.facts import Successor
from poorwill.control.reconcile import READ_AWAKE, READ_DRAINING
from poorwill.core.model import Failures, Gate, GateState, Hand, HandKind, Traffic
from poorwill.store.journal import Kind

LIFE = (Kind.START, Kind.STARTED, Kind.READY, Kind.STOP, Kind.STOPPED, Kind.FAILED, Kind.CRASHED)


def now() -> float:
    return running().time()


@in_virtual_time
async def test_asleep_asked_awake_idle_asleep(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        await house.becomes("asleep")
        house.front.ask()
        took = await house.becomes("awake")
        assert took < 7  # one look at the provider and the second the instance needs
        assert house.front.gate(NAME).state is GateState.OPEN
        assert house.front.routes[NAME] == (("127.0.0.1", 8000),)
        assert await house.becomes("draining", 70) == pytest.approx(60, abs=0.1)
        await house.becomes("asleep", 5)
        assert house.cloud.copy() is None
        assert house.front.routes[NAME] == ()
        kinds = [event.kind for event in await house.events(*LIFE)]
        assert kinds == [Kind.START, Kind.STARTED, Kind.READY, Kind.STOP, Kind.STOPPED]
        assert house.front.calls == ["open", "close"]


@in_virtual_time
async def test_nothing_is_done_before_the_provider_was_looked_at(tmp_path: Path) -> None:
    cloud = Cloud()
    cloud.weather.looking = "error"
    async with a_house(tmp_path, cloud) as house:
        facts = house.add()
        house.front.ask()
        await house.becomes("unknown")
        await asyncio.sleep(120)
        assert cloud.count("start") == cloud.count("stop") == 0
        assert house.phase() == "unknown"
        assert facts.decision is not None
        assert "the cloud is not itself today" in facts.decision.reason
        cloud.weather.looking = "ok"
        await house.becomes("awake")


@in_virtual_time
@pytest.mark.parametrize("looking", ["error", "hang"])
async def test_facts_grow_stale_and_then_nothing_is_done(tmp_path: Path, looking: str) -> None:
    async with a_house(tmp_path) as house:
        facts = house.add()
        house.front.ask()
        await house.becomes("awake")
        house.cloud.weather.looking = looking
        took = await house.becomes("unknown", 120)
        assert 25 <= took <= 30 + 5 + 30 + 1, "stale_after, the pause between two looks, one look's own limit"
        await asyncio.sleep(600)
        assert house.cloud.count("stop") == 0, "nobody came for ten minutes, but nobody knows what runs"
        assert house.front.gate(NAME).state is GateState.OPEN, "who comes is let through"
        house.cloud.weather.looking = "ok"
        await until(lambda: facts.look_error == "", 40)
        await house.becomes("asleep", 90)


@in_virtual_time
async def test_an_instance_that_runs_already_is_taken_over(tmp_path: Path) -> None:
    cloud = Cloud()
    running().call_soon(cloud.begin, PLACE)
    await asyncio.sleep(1)
    async with a_house(tmp_path, cloud) as house:
        house.add()
        await house.becomes("awake")
        assert cloud.count("start") == 0
        await house.becomes("asleep", 70)
        assert [event.kind for event in await house.events(*LIFE)] == [Kind.STOP, Kind.STOPPED]


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
        gaps = [round(after - before) for before, after in zip(starts, starts[1:], strict=False)]
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
        gaps = [round(after - before) for before, after in zip(stops, stops[1:], strict=False)]
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


# --- restarts of the control plane ------------------------------------------------------------------


@in_virtual_time
async def test_a_start_that_a_restart_interrupted_is_seen_through(tmp_path: Path) -> None:
    """However long nobody watched: the instance may have got ready meanwhile."""
    cloud, front = Cloud(), FakeFront()
    cloud.weather.ready_after = 20.0
    async with a_house(tmp_path, cloud, front) as house:
        house.add()
        front.ask()
        await until(lambda: cloud.copy() is not None, 5)
    await asyncio.sleep(600)
    async with a_house(tmp_path, cloud, front) as house:
        house.add((await house.journal.restore())[NAME])
        await house.becomes("awake")
        assert cloud.count("start") == 1
        assert cloud.count("stop") == 0
        assert await house.events(Kind.FAILED) == []
        (ready,) = await house.events(Kind.READY)
        assert ready.detail["seconds"] > 600, "what the visitor waited is what is measured"


@in_virtual_time
async def test_a_stop_that_a_restart_interrupted_is_asked_for_again(tmp_path: Path) -> None:
    cloud, front = Cloud(), FakeFront()
    async with a_house(tmp_path, cloud, front) as house:
        house.add()
        front.ask()
        await house.becomes("awake")
        cloud.weather.stop = "hang"
        await until(lambda: cloud.count("stop") == 1, 90)
    cloud.weather.stop = "ok"
    async with a_house(tmp_path, cloud, front) as house:
        house.add((await house.journal.restore())[NAME])
        await house.becomes("asleep")
        assert cloud.count("stop") == 2
        assert [event.kind for event in await house.events(Kind.STOP, Kind.STOPPED)] == [Kind.STOP, Kind.STOPPED]


@in_virtual_time
async def test_awake_over_a_restart(tmp_path: Path) -> None:
    cloud, front = Cloud(), FakeFront()
    async with a_house(tmp_path, cloud, front) as house:
        house.add()
        front.ask()
        await house.becomes("awake")
    front.askeds.clear()
    async with a_house(tmp_path, cloud, front) as house:
        house.add((await house.journal.restore())[NAME])
        await house.becomes("awake", 1)
        assert front.calls == ["open"], "the gate was left alone"
        assert await house.becomes("asleep", 70) > 59


# --- what the gateway is told -----------------------------------------------------------------------


@in_virtual_time
async def test_counters_are_read_at_the_pace_that_is_needed(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add()
        await house.becomes("asleep")
        assert NAME not in house.front.paces
        house.front.ask()
        await house.becomes("awake")
        assert house.front.paces[NAME] == READ_AWAKE
        house.cloud.weather.looking = "error"
        await house.becomes("unknown", 60)
        assert house.front.paces[NAME] == READ_AWAKE, "else it would look idle when the provider is back"
        house.cloud.weather.looking = "ok"
        await house.becomes("draining", 90)
        assert house.front.paces[NAME] == READ_DRAINING
        await house.becomes("asleep", 10)
        assert house.front.paces[NAME] is None


@in_virtual_time
async def test_what_visitors_are_told(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = house.add()
        await house.becomes("asleep")
        assert house.front.shown[NAME] == {
            "refusal": None,
            "estimate": None,
            "waking_since": None,
            "trouble": False,
        }
        begun = now()
        house.front.ask()
        await house.becomes("waking")
        assert house.front.shown[NAME]["waking_since"] == pytest.approx(begun, abs=0.1)
        await house.becomes("awake")
        assert house.front.shown[NAME]["waking_since"] is None
        assert house.front.shown[NAME]["estimate"].count == 1
        facts.hand = Hand(HandKind.SLEEP, now(), until=now() + 30)
        house.reconciler.nudge(NAME)
        await house.becomes("asleep")
        assert house.front.shown[NAME]["refusal"] == "by_hand"
        await asyncio.sleep(31)
        assert house.front.shown[NAME]["refusal"] is None, "the word has run out: visitors may wake it"
        facts.hand, facts.closed_to = Hand(HandKind.SLEEP, now()), "removed"
        house.reconciler.nudge(NAME)
        await until(lambda: house.front.shown[NAME]["refusal"] == "removed", 1)


# --- changes of the configuration -------------------------------------------------------------------


@in_virtual_time
async def test_a_service_that_was_removed_is_put_to_sleep_and_forgotten(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = house.add()
        other = house.add(name="other", provider=FakeProvider(Cloud()))
        house.front.ask()
        await house.becomes("awake")
        facts.retired, facts.hand = True, Hand(HandKind.SLEEP, now())
        house.reconciler.nudge(NAME)
        await until(lambda: house.forgotten == [NAME], 10)
        assert house.cloud.copy() is None
        assert list(house.reconciler.services) == ["other"]
        assert isinstance(facts.provider, FakeProvider)
        await until(lambda: facts.provider.closed, 1)  # type: ignore[attr-defined]
        looks = house.cloud.count("list")
        await asyncio.sleep(60)
        assert house.cloud.count("list") == looks, "nobody looks any more"
        assert isinstance(other.provider, FakeProvider)
        assert not other.provider.closed


@in_virtual_time
async def test_a_new_place_is_taken_when_nothing_runs_in_the_old_one(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        facts = house.add()
        house.front.ask()
        await house.becomes("awake")
        old, elsewhere = facts.provider, Cloud()
        new = FakeProvider(elsewhere)
        facts.successor = Successor(new, PROBE, ("127.0.0.1", 9000))
        await asyncio.sleep(30)
        assert facts.provider is old
        await house.becomes("asleep", 70)
        assert facts.provider is new
        assert (facts.address, facts.successor) == (("127.0.0.1", 9000), None)
        await until(lambda: old.closed, 1)  # type: ignore[attr-defined]
        house.front.ask()
        await until(lambda: elsewhere.count("start") == 1, 10)
        assert house.cloud.count("start") == 1


@in_virtual_time
async def test_services_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """One provider hangs in every call; the neighbour wakes as fast as ever."""
    async with a_house(tmp_path) as house:
        house.cloud.weather.looking = "hang"
        house.add()
        elsewhere = Cloud()
        house.add(name="other", provider=FakeProvider(elsewhere))
        await house.becomes("asleep", name="other")
        house.front.ask("other")
        house.front.ask()
        assert elsewhere.count("start") <= 1
        await until(lambda: elsewhere.count("start") == 1, 1)


@in_virtual_time
async def test_an_idle_loop_does_nothing(tmp_path: Path) -> None:
    """Asleep costs one look at the provider every five seconds and no line in the journal."""
    async with a_house(tmp_path) as house:
        house.add()
        await house.becomes("asleep")
        written = len(await house.events())
        looks = house.cloud.count("list")
        await asyncio.sleep(3_600)
        assert len(await house.events()) == written
        assert house.cloud.count("list") - looks == pytest.approx(720, abs=2)


@in_virtual_time
async def test_somebody_can_wait_for_the_next_decision(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.add(failures=Failures(2, now(), "exit code 3"))
        async with asyncio.timeout(1):
            await house.reconciler.decided()


@in_virtual_time
async def test_a_gate_that_an_earlier_life_left_open_is_closed(tmp_path: Path) -> None:
    front = FakeFront()
    front.gates[NAME] = Gate(GateState.OPEN, now())
    async with a_house(tmp_path, front=front) as house:
        house.add()
        await house.becomes("asleep")
        assert front.calls == ["close"]
