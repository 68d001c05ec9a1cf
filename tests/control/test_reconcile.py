"""The whole way of a service, from asleep to awake and back, against a place that is unkind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import NAME, PLACE, PROBE, FakeFront, a_house
from tests.control.virtual_time import in_virtual_time, running, until

from poorwill.config import ServiceAddress
from poorwill.control.facts import Successor
from poorwill.control.reconcile import READ_AWAKE, READ_DRAINING
from poorwill.core.door import Gate, GateState
from poorwill.core.model import Failures, Hand, HandKind, OnRequest
from poorwill.core.target import Target
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
        assert house.front.routes[NAME] == (Target("127.0.0.1", 8000),)
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
async def test_an_instance_that_runs_already_is_served_and_let_alone_until_it_is_adopted(
    tmp_path: Path,
) -> None:
    cloud = Cloud()
    running().call_soon(cloud.begin, PLACE)
    await asyncio.sleep(1)
    async with a_house(tmp_path, cloud) as house:
        house.add()
        await house.becomes("awake")
        assert cloud.count("start") == 0
        await asyncio.sleep(1000)
        assert house.phase() == "awake"
        await house.desk.adopt(NAME, "by hand")
        await house.becomes("asleep", 70)
        assert [event.kind for event in await house.events(*LIFE)] == [Kind.STOP, Kind.STOPPED]


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
        assert [event.kind for event in await house.events(Kind.STOP, Kind.STOPPED)] == [
            Kind.STOP,
            Kind.STOPPED,
        ]


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
            "entrance": OnRequest.WAKE,
            "hours": None,
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
        written: list[float] = []
        remember = lambda: written.append(now())  # noqa: E731
        facts.successor = Successor(new, PROBE, ServiceAddress(url="127.0.0.1:9000"), remember)
        await asyncio.sleep(30)
        assert facts.provider is old
        assert not written
        await house.becomes("asleep", 70)
        assert facts.provider is new
        assert len(written) == 1
        assert (facts.address, facts.successor) == (ServiceAddress(url="127.0.0.1:9000"), None)
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
