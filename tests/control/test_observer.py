"""Looking at providers and asking instances, whatever they answer and however long they take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import NAME, PLACE, PROBE, RULES, FakeFront
from tests.control.virtual_time import in_virtual_time, running, until

from poorwill.config import ServiceAddress
from poorwill.control import observer
from poorwill.control.facts import Facts
from poorwill.control.needs import Needs
from poorwill.control.observer import LOOK_EVERY, RESOLVE_EVERY, Observers
from poorwill.control.place import Place
from poorwill.control.probe import Probe
from poorwill.core.model import Condition
from poorwill.core.target import Target
from poorwill.providers.base import Sighting


class Watch:
    """Observers at work; ``asking`` are the instances that are being asked right now."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self.cloud, self.front = Cloud(), FakeFront()
        self.nudges = 0
        self.asking: list[Target] = []
        self.asked = 0
        self.answers = False
        self.running: set[asyncio.Task[None]] = set()
        self._tasks = tasks
        self.observers = Observers(self.spawn, self.front, Needs({}), self.nudge)
        self.place = Place(PLACE)
        self.provider = FakeProvider(self.cloud)
        self.facts = Facts(RULES, self.provider, PROBE, {PLACE: self.place})  # type: ignore[arg-type]

    def spawn(self, work: object) -> object:
        task = self._tasks.create_task(work)  # type: ignore[arg-type,var-annotated]
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        return task

    def nudge(self, service: str) -> None:
        assert service == NAME
        self.nudges += 1
        self.observers.probe_if_needed(self.facts)

    async def until_ready(self, _: Probe, address: Target, failed: Callable[[str], None]) -> None:
        self.asking.append(address)
        self.asked += 1
        try:
            while not self.answers:
                failed("it does not answer")
                await asyncio.sleep(0.1)
        finally:
            self.asking.remove(address)


@asynccontextmanager
async def watching() -> AsyncIterator[Watch]:
    with pytest.MonkeyPatch.context() as patch:
        async with asyncio.TaskGroup() as tasks:
            watch = Watch(tasks)
            patch.setattr(observer, "until_ready", watch.until_ready)
            yield watch
            for task in watch.running:
                task.cancel()


# --- looking ----------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_provider_is_looked_at_at_once_and_then_now_and_again() -> None:
    async with watching() as watch:
        watch.observers.follow(watch.facts)
        await until(lambda: watch.facts.looked_at is not None, 0.1)
        await asyncio.sleep(60)
        assert watch.cloud.count("list") == pytest.approx(60 / LOOK_EVERY + 1, abs=1)
        assert watch.nudges == watch.cloud.count("list")


@in_virtual_time
async def test_who_asks_for_a_look_gets_one_that_began_after_he_asked() -> None:
    async with watching() as watch:
        watch.cloud.weather.list_takes = 2.0
        watch.observers.follow(watch.facts)
        await asyncio.sleep(1.0)
        asked_at = running().time()
        watch.observers.look(NAME)
        await until(lambda: (watch.facts.looked_at or 0.0) >= asked_at, 3.1)
        watch.observers.look("unknown")


@in_virtual_time
async def test_many_wishes_for_a_look_are_one_look() -> None:
    async with watching() as watch:
        watch.observers.follow(watch.facts)
        await asyncio.sleep(1)
        before = watch.cloud.count("list")
        for _ in range(500):
            watch.observers.look(NAME)
        await asyncio.sleep(1)
        assert watch.cloud.count("list") == before + 1


@in_virtual_time
@pytest.mark.parametrize(
    ("looking", "error"),
    [("error", "the cloud is not itself today"), ("hang", "it has not answered for 30 s")],
)
async def test_a_look_that_fails_changes_no_fact_and_is_told(looking: str, error: str) -> None:
    async with watching() as watch:
        watch.cloud.begin(PLACE)
        watch.observers.follow(watch.facts)
        await asyncio.sleep(6)
        before = (watch.facts.looked_at, watch.place.sighting)
        watch.cloud.weather.looking = looking
        nudges = watch.nudges
        await until(lambda: watch.facts.look_error == error, 40)
        assert (watch.facts.looked_at, watch.place.sighting) == before
        assert watch.nudges > nudges
        watch.cloud.weather.looking = "ok"
        await until(lambda: watch.facts.look_error == "", 40)


@in_virtual_time
async def test_a_service_that_is_let_go_is_not_looked_at() -> None:
    async with watching() as watch:
        watch.observers.follow(watch.facts)
        await asyncio.sleep(1)
        watch.observers.unfollow(NAME)
        watch.observers.unfollow(NAME)
        await until(lambda: not watch.running, 1)


# --- asking -----------------------------------------------------------------------------------------


def sight(
    watch: Watch, life: str, condition: Condition = Condition.RUNNING, address: str | None = None
) -> None:
    sighting = Sighting(PLACE, condition, life, address or "127.0.0.1:8000")
    watch.facts.saw([] if condition is Condition.ABSENT else [sighting], running().time())
    watch.observers.probe_if_needed(watch.facts)


@in_virtual_time
async def test_an_instance_is_asked_once_it_runs_until_it_answers() -> None:
    async with watching() as watch:
        sight(watch, "life-1", Condition.STARTING)
        await asyncio.sleep(1)
        assert watch.asked == 0
        for _ in range(10):
            sight(watch, "life-1")
            await asyncio.sleep(1)
        assert watch.asked == 1, "one asker, however often it is seen"
        assert watch.place.probe_error == "it does not answer"
        assert watch.front.routes[NAME] == (Target("127.0.0.1", 8000),), "published while still gated"
        watch.answers = True
        nudges = watch.nudges
        await until(lambda: watch.place.ready, 1)
        assert (watch.place.ready_since, watch.place.probe_error) == (
            pytest.approx(running().time(), abs=0.2),
            "",
        )
        assert watch.nudges == nudges + 1
        sight(watch, "life-1")
        await until(lambda: not watch.running, 1)
        assert watch.asked == 1


@in_virtual_time
@pytest.mark.parametrize("condition", [Condition.ABSENT, Condition.RUNNING])
async def test_asking_ends_with_the_life_it_asks(condition: Condition) -> None:
    async with watching() as watch:
        sight(watch, "life-1")
        await until(lambda: watch.asking, 1)
        sight(watch, "" if condition is Condition.ABSENT else "life-2", condition)
        await asyncio.sleep(0.6)
        assert len(watch.asking) == (condition is Condition.RUNNING)
        assert not watch.place.ready


@in_virtual_time
async def test_an_answer_of_an_old_life_makes_no_new_one_ready() -> None:
    async with watching() as watch:
        sight(watch, "life-1")
        await until(lambda: watch.asking, 1)
        watch.facts.saw([Sighting(PLACE, Condition.RUNNING, "life-2", "127.0.0.1:8000")], running().time())
        watch.answers = True
        await until(lambda: watch.place.ready, 6)
        assert watch.asked == 2, "the new life was asked itself"


# --- addresses --------------------------------------------------------------------------------------


@in_virtual_time
async def test_what_the_provider_says_goes_before_what_the_user_says() -> None:
    async with watching() as watch:
        watch.facts.address = ServiceAddress(url="127.0.0.1:9000")
        sight(watch, "life-1")
        await until(lambda: watch.asking, 1)
        assert watch.asking == [Target("127.0.0.1", 8000)]


@in_virtual_time
async def test_what_the_user_says_counts_when_the_provider_knows_nothing() -> None:
    async with watching() as watch:
        watch.facts.address = ServiceAddress(url="127.0.0.1:9000")
        watch.facts.saw([Sighting(PLACE, Condition.RUNNING, "life-1")], running().time())
        watch.observers.probe_if_needed(watch.facts)
        await until(lambda: watch.asking, 1)
        assert watch.asking == [Target("127.0.0.1", 9000)]


@in_virtual_time
@pytest.mark.parametrize(
    "address",
    [
        pytest.param("no-such-host.invalid:80", id="does not exist"),
        pytest.param(f"{'a' * 64}.example.com:80", id="a label that is too long"),
        pytest.param("two..dots.example.com:80", id="an empty label"),
    ],
)
async def test_a_name_that_cannot_be_resolved_is_tried_again_and_told(address: str) -> None:
    """A rented machine's name may be a minute old. It must never end the program."""
    async with watching() as watch:
        sight(watch, "life-1", address=address)
        await until(lambda: "cannot be resolved" in watch.place.probe_error, 60)
        assert address.partition(":")[0] in watch.place.probe_error
        sight(watch, "life-2")
        await until(lambda: watch.asking == [Target("127.0.0.1", 8000)], 5)


@in_virtual_time
async def test_an_ipv6_address_loses_its_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    async with watching() as watch:
        sight(watch, "life-1", address="[::1]:8000")
        await until(lambda: watch.asking, 5)
        assert watch.asking == [Target("::1", 8000)]


def values(watch: Watch, life: str, **said: str) -> None:
    watch.facts.saw([Sighting(PLACE, Condition.RUNNING, life, values=said)], running().time())
    watch.observers.probe_if_needed(watch.facts)


@in_virtual_time
async def test_an_address_is_filled_in_with_what_the_place_says() -> None:
    async with watching() as watch:
        watch.facts.address = ServiceAddress(url="{host}:{port_8000}")
        values(watch, "life-1", host="127.0.0.1", port_8000="31234")
        await until(lambda: watch.asking, 1)
        assert watch.asking == [Target("127.0.0.1", 31234)]
        assert watch.front.routes[NAME] == (Target("127.0.0.1", 31234),)


@in_virtual_time
async def test_what_the_place_does_not_say_yet_is_told_and_waited_for() -> None:
    async with watching() as watch:
        watch.facts.address = ServiceAddress(url="{host}:7860")
        values(watch, "life-1", ssh_port="22")
        await until(lambda: "needs {host}" in watch.place.probe_error, 5)
        assert "it says: ssh_port" in watch.place.probe_error
        values(watch, "life-1", ssh_port="22", host="127.0.0.1")
        await until(lambda: watch.asking == [Target("127.0.0.1", 7860)], 5)


@in_virtual_time
async def test_an_address_that_turns_out_to_be_another_is_asked_instead() -> None:
    """A cloud may say where an instance is before that is true."""
    async with watching() as watch:
        watch.facts.address = ServiceAddress(url="{host}:7860")
        values(watch, "life-1", host="127.0.0.1")
        await until(lambda: watch.asking, 1)
        values(watch, "life-1", host="127.0.0.2")
        await until(lambda: watch.asking == [Target("127.0.0.2", 7860)], 2 * RESOLVE_EVERY)
        assert watch.front.routes[NAME] == (Target("127.0.0.2", 7860),)
        values(watch, "life-1")
        await asyncio.sleep(3 * RESOLVE_EVERY)
        assert watch.asking == [Target("127.0.0.2", 7860)], "not knowing any more changes nothing"
        watch.answers = True
        await until(lambda: watch.place.ready, 5)


@in_virtual_time
async def test_a_name_is_resolved_and_kept() -> None:
    async with watching() as watch:
        watch.facts.address = ServiceAddress(url="https://{domain}", host=None)
        values(watch, "life-1", domain="localhost:8443")
        await until(lambda: watch.asking, 10)
        assert watch.asking[0].port == 8443
        assert watch.asking[0].name == "localhost"


@in_virtual_time
async def test_a_tunnel_that_nobody_dug() -> None:
    async with watching() as watch:
        watch.facts.address = ServiceAddress(url="tunnel:7860")
        values(watch, "life-1")
        await until(lambda: "there is no tunnel for tunnel:127.0.0.1:7860" in watch.place.probe_error, 5)
