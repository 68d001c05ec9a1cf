"""Calls to providers: the intent on the disk first, one at a time, each with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.house import PLACE, PROBE, RULES, FakeFront
from tests.control.test_recorder import Disk
from tests.control.virtual_time import in_virtual_time, running, until

from poorwill import clock
from poorwill.control.apply import STOP_DEADLINE, STOP_UNWRITTEN, Applier
from poorwill.control.facts import Facts
from poorwill.control.place import Place
from poorwill.control.recorder import Recorder
from poorwill.core.action import CloseGate, Conclude, OpenGate, Start, Stop
from poorwill.core.model import Condition, Intent, IntentKind, Outcome
from poorwill.core.target import Target
from poorwill.providers.base import Sighting
from poorwill.store.journal import Entry, Kind

START, STOP = Start(PLACE, "requests are waiting"), Stop(PLACE, "no activity for 1m")


class Bench:
    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self.disk, self.cloud, self.front = Disk(), Cloud(), FakeFront()
        self.recorder = Recorder(self.disk)
        self.looks: list[str] = []
        self.applier = Applier(self.front, self.recorder, tasks.create_task, self.looks.append)
        self.place = Place(PLACE)
        provider = FakeProvider(self.cloud)
        self.facts = Facts(RULES, provider, PROBE, {PLACE: self.place})  # type: ignore[arg-type]

    def apply(self, *actions: Start | Stop | Conclude | OpenGate | CloseGate) -> None:
        now = clock.now()
        for action in actions:
            self.applier.apply(self.facts, action, now)

    async def over(self, within: float = 1.0) -> None:
        await until(lambda: self.place.intent and not self.place.intent.calling, within)

    async def written(self) -> list[Entry]:
        assert await self.recorder.flush(60)
        return [entry for _, entries in self.disk.batches for entry in entries]


@asynccontextmanager
async def a_bench() -> AsyncIterator[Bench]:
    async with asyncio.TaskGroup() as tasks:
        bench = Bench(tasks)
        recording = tasks.create_task(bench.recorder.run())
        yield bench
        recording.cancel()


# --- before a call ----------------------------------------------------------------------------------


@in_virtual_time
async def test_what_is_begun_is_a_fact_at_once() -> None:
    """Else the next look would begin it again."""
    async with a_bench() as bench:
        bench.apply(START)
        intent = bench.place.intent
        assert intent is not None
        assert (intent.kind, intent.at, intent.calling, intent.attempts) == (
            IntentKind.START,
            running().time(),
            True,
            1,
        )
        assert bench.cloud.calls == []
        await bench.over()


@in_virtual_time
@pytest.mark.parametrize(("action", "kind"), [(START, "start"), (STOP, "stop")])
async def test_the_intent_is_on_the_disk_before_the_provider_is_called(
    action: Start | Stop, kind: str
) -> None:
    async with a_bench() as bench:
        bench.disk.takes = 4.0
        found: list[list[str]] = []

        def called(_: str) -> None:
            found.append([str(entry.kind) for _, entries in bench.disk.batches for entry in entries])

        bench.cloud.on_start = bench.cloud.on_stop = called
        bench.apply(action)
        await bench.over(10)
        assert found == [[kind]]


@in_virtual_time
async def test_no_start_without_a_disk() -> None:
    """It was not even begun: it has not failed, and no line tells of it later."""
    async with a_bench() as bench:
        bench.disk.full = True
        begun = running().time()
        bench.apply(START)
        await until(lambda: bench.place.intent is None, 2)
        await asyncio.sleep(RULES.start_timeout)
        assert bench.cloud.calls == []
        assert bench.facts.missing_since == begun, "its wake counts from here"
        bench.disk.full = False
        assert [entry.kind for entry in await bench.written()] == [Kind.NOTED]
        assert bench.looks, "it is decided anew"


@in_virtual_time
async def test_what_an_earlier_call_may_have_started_stays_ours_when_a_start_is_withdrawn() -> None:
    """A restart forgot whether that call was made; its instance may show up late, and must be stopped."""
    async with a_bench() as bench:
        bench.place.ours = True
        bench.place.intent = Intent(IntentKind.START, 0.0, attempts=1, written=True)
        bench.disk.full = True
        bench.apply(START)
        await until(lambda: bench.place.intent is None, 2)
        bench.facts.saw([Sighting(PLACE, Condition.RUNNING, "life-1")], running().time())
        assert not bench.place.foreign
        bench.disk.full = False


@in_virtual_time
async def test_a_withdrawn_start_claims_nothing() -> None:
    async with a_bench() as bench:
        bench.place.ours, bench.place.ended = True, "life-1"
        bench.disk.full = True
        bench.apply(START)
        await until(lambda: bench.place.intent is None, 2)
        bench.facts.saw([Sighting(PLACE, Condition.RUNNING, "life-2")], running().time())
        assert bench.place.foreign
        bench.disk.full = False


@in_virtual_time
async def test_a_disk_that_hangs_uses_up_the_time_of_a_start() -> None:
    async with a_bench() as bench:
        bench.disk.takes = 1_000.0
        bench.apply(START)
        await bench.over(RULES.start_timeout + 1)
        assert bench.place.intent is not None
        assert "did not return" in bench.place.intent.error
        assert bench.cloud.calls == []


@in_virtual_time
async def test_what_the_provider_chose_is_written_down_with_the_intent() -> None:
    async with a_bench() as bench:
        bench.apply(START)
        await bench.over()
        start, started = await bench.written()
        assert (start.kind, start.instance, start.reason) == (Kind.START, PLACE, START.reason)
        assert start.detail == {"prepared": {"port": 8000}}
        assert (started.kind, started.detail) == (Kind.STARTED, {"handle": {"port": 8000}})


@in_virtual_time
async def test_a_stop_takes_the_instance_out_of_the_path_first() -> None:
    async with a_bench() as bench:
        bench.front.route("notes", "notes-1", Target("127.0.0.1", 8000))
        routes: list[object] = []
        bench.cloud.on_stop = lambda _: routes.append(bench.front.routes["notes"])
        bench.apply(STOP)
        await bench.over()
        assert routes == [()]


@in_virtual_time
async def test_a_new_start_forgets_the_readiness_of_the_last_life() -> None:
    async with a_bench() as bench:
        bench.place.ready_life, bench.place.ready_since, bench.place.probe_error = "life-1", 1.0, "x"
        bench.apply(START)
        assert (bench.place.ready_life, bench.place.ready_since, bench.place.probe_error) == (None, None, "")
        await bench.over()


# --- after a call -----------------------------------------------------------------------------------


@in_virtual_time
async def test_a_call_that_came_back_asks_for_a_fresh_look() -> None:
    async with a_bench() as bench:
        bench.apply(START)
        await bench.over()
        intent = bench.place.intent
        assert intent is not None
        assert (intent.returned_at, intent.error) == (pytest.approx(running().time(), abs=0.02), "")
        assert bench.looks == ["notes"]


@in_virtual_time
@pytest.mark.parametrize(
    ("mode", "action", "error", "permanent", "within"),
    [
        ("error", START, "the call failed (error)", False, 1),
        ("permanent", START, "no such machine type", True, 1),
        ("hang", START, "the call did not return within 40 s", False, 41),
        ("error", STOP, "the call failed (error)", False, 1),
        ("hang", STOP, "the call did not return within 600 s", False, STOP_DEADLINE + 1),
    ],
)
async def test_a_call_that_fails_says_so_in_the_intent_and_in_the_journal(
    mode: str, action: Start | Stop, error: str, permanent: bool, within: float
) -> None:
    async with a_bench() as bench:
        bench.cloud.weather.start = bench.cloud.weather.stop = mode
        bench.apply(action)
        await bench.over(within)
        intent = bench.place.intent
        assert intent is not None
        assert (intent.error, intent.permanent) == (error, permanent)
        assert bench.looks == ["notes"]
        *_, failed = await bench.written()
        kind = "start" if action is START else "stop"
        assert (failed.kind, failed.reason, failed.detail["intent"]) == (Kind.CALL_FAILED, error, kind)
        assert failed.detail["hint"] == ("choose another" if permanent else "")


@in_virtual_time
@pytest.mark.parametrize("disk", ["full", "hanging"])
async def test_a_full_disk_does_not_cost_a_stop_which_is_written_down_later(disk: str) -> None:
    async with a_bench() as bench:
        bench.disk.full, bench.disk.takes = disk == "full", 900.0 if disk == "hanging" else 0.01
        bench.cloud.weather.stop = "error"
        bench.apply(STOP)
        await bench.over(STOP_UNWRITTEN + 1)
        assert bench.cloud.count("stop") == 1
        bench.apply(STOP)
        await bench.over(1)
        assert bench.cloud.count("stop") == 2, "the second one does not wait again"
        bench.disk.full, bench.disk.takes = False, 0.01
        assert await bench.recorder.flush(1_000)
        kinds = [entry.kind for _, entries in bench.disk.batches for entry in entries]
        assert [kind for kind in kinds if kind is not Kind.NOTED] == [
            Kind.STOP,
            Kind.CALL_FAILED,
            Kind.CALL_FAILED,
        ]


@in_virtual_time
async def test_a_repeated_stop_is_one_intent() -> None:
    async with a_bench() as bench:
        bench.cloud.weather.stop = "error"
        begun = running().time()
        for attempt in (1, 2, 3):
            bench.apply(STOP)
            await bench.over()
            intent = bench.place.intent
            assert intent is not None
            assert (intent.attempts, intent.at) == (attempt, begun)
        kinds = [entry.kind for entry in await bench.written()]
        assert kinds.count(Kind.STOP) == 1
        assert bench.cloud.count("stop") == 3


@in_virtual_time
async def test_the_stop_of_a_start_that_came_to_nothing_is_an_intent_of_its_own() -> None:
    async with a_bench() as bench:
        bench.apply(START)
        await bench.over()
        bench.apply(
            Conclude(PLACE, Outcome.FAILED, "not ready within 40 s"), Stop(PLACE, "not ready within 40 s")
        )
        intent = bench.place.intent
        assert intent is not None
        assert (intent.kind, intent.attempts) == (IntentKind.STOP, 1)
        await bench.over()
        kinds = [entry.kind for entry in await bench.written()]
        assert kinds == [Kind.START, Kind.STARTED, Kind.FAILED, Kind.STOP]


# --- conclusions and the gate -----------------------------------------------------------------------


@in_virtual_time
async def test_a_wake_is_measured_from_the_intent_to_the_answer() -> None:
    async with a_bench() as bench:
        bench.apply(START)
        await asyncio.sleep(12.5)
        bench.apply(Conclude(PLACE, Outcome.READY))
        assert list(bench.facts.wakes) == [12.5]
        ready = (await bench.written())[-1]
        assert (ready.kind, ready.detail) == (Kind.READY, {"seconds": 12.5})


@in_virtual_time
@pytest.mark.parametrize(
    ("outcome", "kind"), [(Outcome.FAILED, Kind.FAILED), (Outcome.CRASHED, Kind.CRASHED)]
)
async def test_failures_carry_their_number_in_the_row(outcome: Outcome, kind: Kind) -> None:
    async with a_bench() as bench:
        for streak in (1, 2):
            bench.apply(Conclude(PLACE, outcome, "exit code 3"))
            entry = (await bench.written())[-1]
            assert (entry.kind, entry.reason, entry.detail) == (
                kind,
                "exit code 3",
                {"streak": streak, "delay": None},
            )


@in_virtual_time
async def test_a_good_end_is_written_down() -> None:
    async with a_bench() as bench:
        bench.apply(Conclude(PLACE, Outcome.STOPPED))
        (entry,) = await bench.written()
        assert (entry.kind, entry.instance, dict(entry.detail)) == (Kind.STOPPED, PLACE, {})


@in_virtual_time
async def test_the_gate_is_told() -> None:
    async with a_bench() as bench:
        bench.apply(OpenGate())
        bench.apply(CloseGate())
        assert bench.front.calls == ["open", "close"]
