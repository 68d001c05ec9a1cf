"""Numbers that no request shows: real processes, a real page of metrics, and what happens when they go."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.control.pages import VLLM, Pages, serving
from tests.patience import PATIENCE, until

from poorwill.config.source import Source
from poorwill.control import gauges as module
from poorwill.control.facts import Facts
from poorwill.control.gauges import Gauges
from poorwill.control.gpu import gpu_memory, held_by
from poorwill.control.place import Place
from poorwill.control.recorder import Recorder
from poorwill.core.model import Condition, Service
from poorwill.errors import Temporary
from poorwill.providers.base import Ran, Sighting, Surroundings
from poorwill.providers.process import ProcessProvider
from poorwill.store.journal import Journal, Kind

NAME = "notes"
MINE = "vllm:num_requests_waiting"
WORK = "import time\nheld = bytearray(50_000_000)\nwhile True: pass"


class Card:
    """A shell on a host with GPUs, as far as ``nvidia-smi`` tells."""

    def __init__(self) -> None:
        self.said = {"utilization": Ran(0, "12\n80\n"), "memory.used": Ran(0, "1024\n2048\n")}

    async def run(self, command: str, **_: Any) -> Ran:
        return next((ran for word, ran in self.said.items() if word in command), Ran(9, "no"))


class Room:
    """``facts`` is one service with an instance that runs and answers at the pages' own address."""

    def __init__(
        self, gauges: Gauges, facts: Facts, pages: Pages, journal: Journal, recorder: Recorder
    ) -> None:
        self.gauges, self.facts, self.pages = gauges, facts, pages
        self.journal, self.recorder = journal, recorder

    async def alerts(self) -> list[tuple[str, str]]:
        await self.recorder.flush(10.0)
        found = await self.journal.events(limit=1000)
        return [(one.reason, one.detail["hint"]) for one in found if one.kind is Kind.ALERT]


def place(number: int, address: str) -> Place:
    life = f"life-{number}"
    seen = Sighting(f"{NAME}-{number}", Condition.RUNNING, life, address)
    return Place(f"{NAME}-{number}", sighting=seen, life=life, ready_life=life, ready_since=0.0)


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    for name, seconds in {"EVERY": 0.1, "EVERY_GPU": 0.1, "LOOK": 0.02, "LASTS": 1.0}.items():
        monkeypatch.setattr(module, name, seconds)
    options = ProcessProvider.Options.model_validate({"command": [sys.executable, "-c", WORK]})
    around = Surroundings("gauges-test", NAME, tmp_path / "files", tmp_path, lambda: None)
    provider = ProcessProvider(options, around)  # type: ignore[arg-type]
    journal = await Journal.open(tmp_path)
    recorder = Recorder(journal)
    tasks: set[asyncio.Task[None]] = set()

    def spawn(work: Any) -> None:
        tasks.add(asyncio.get_running_loop().create_task(work))

    async with serving() as pages:
        here = place(1, f"127.0.0.1:{pages.port}")
        facts = Facts(Service(NAME), provider, None, {here.id: here})
        card: Any = Card()
        gauges = Gauges(recorder, spawn, lambda _: card)
        spawn(recorder.run())
        spawn(gauges.run({NAME: facts}))
        yield Room(gauges, facts, pages, journal, recorder)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await provider.stop(f"{NAME}-1")
    await provider.close()
    await journal.close()


def mine(url: str, **more: Any) -> dict[str, Source | None]:
    return {MINE: Source(MINE, "text", url, MINE, **more)}


async def test_processor_and_memory_of_what_really_runs(room: Room) -> None:
    await room.facts.provider.start(f"{NAME}-1", await room.facts.provider.prepare(f"{NAME}-1"))
    room.gauges.want({NAME: {"cpu": None, "memory": None}})
    values = room.gauges.values
    await until(lambda: values(NAME)[0].get("cpu", 0.0) > 10, "it works")
    await until(lambda: 50e6 < values(NAME)[0].get("memory", 0.0) < 500e6, "it holds 50 MB")
    assert values(NAME)[0]["cpu"] < 150
    assert values(NAME)[1] == {}
    room.gauges.want({NAME: {"memory": None}})
    assert values(NAME)[0].keys() == {"memory"}


async def test_the_gpu(room: Room) -> None:
    room.facts.machine = "gpu1"  # its processes are not of this host
    room.gauges.want({NAME: {"gpu_utilization": None, "gpu_memory": None}})
    await until(lambda: len(room.gauges.values(NAME)[0]) == 2, "both are known")
    assert room.gauges.values(NAME)[0] == {"gpu_utilization": 80.0, "gpu_memory": 2048 * 1024 * 1024}


async def test_each_instance_is_asked_and_none_that_is_not_ready(room: Room) -> None:
    room.pages.put("/metrics", VLLM)
    other = room.facts.places[f"{NAME}-2"] = place(2, f"127.0.0.1:{room.pages.port}")
    room.gauges.want({NAME: mine("http://{address}/metrics", per_instance=True)})
    await until(lambda: room.gauges.values(NAME)[0].get(MINE) == 14.0, "the sum of both")
    other.ready_life = None
    await until(lambda: room.gauges.values(NAME)[0].get(MINE) == 7.0, "one alone")
    room.facts.places.clear()
    await until(lambda: room.gauges.values(NAME) == ({}, {}), "nobody is there to ask")


async def test_a_source_that_goes_and_comes_back(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ALERT_AFTER", 4.0)
    monkeypatch.setattr(module, "SLOWEST", 0.3)
    room.pages.put("/metrics", VLLM)
    room.gauges.want({NAME: mine(f"{room.pages.url}/metrics")})
    values = room.gauges.values
    await until(lambda: values(NAME) == ({MINE: 7.0}, {}), "known")
    room.pages.put("/metrics", "<html>", 502)
    asked = len(room.pages.seen)
    await until(lambda: len(room.pages.seen) > asked + 1, "it was asked again")
    assert values(NAME) == ({MINE: 7.0}, {}), "one that fails now and then stops nothing"
    await until(lambda: values(NAME)[0] == {}, "too old")
    assert values(NAME)[1] == {MINE: f"{room.pages.url}/metrics answers 502"}
    async with asyncio.timeout(PATIENCE):
        while not (told := await room.alerts()):
            await asyncio.sleep(0.05)
    why = f"{MINE} cannot be read, and nothing is scaled by it: {room.pages.url}/metrics answers 502"
    assert told == [(why, "see scale_policy: of the service")]
    room.pages.put("/metrics", VLLM)
    await until(lambda: values(NAME) == ({MINE: 7.0}, {}), "known again")
    async with asyncio.timeout(PATIENCE):
        while len(told := await room.alerts()) < 2:
            await asyncio.sleep(0.05)
    assert told[1:] == [(f"{MINE} can be read again", "")]


async def test_one_that_hangs_holds_up_no_other(room: Room) -> None:
    room.pages.put("/metrics", VLLM)
    hangs = Source("hangs", "text", f"{room.pages.url}/hangs", MINE)
    room.gauges.want({NAME: {**mine(f"{room.pages.url}/metrics"), "hangs": hangs, "cpu": None}})
    await until(lambda: sum("/metrics" in head for head in room.pages.seen) > 3, "it is asked on")
    assert sum("/hangs" in head for head in room.pages.seen) == 1
    await until(lambda: "does not run" in room.gauges.values(NAME)[1].get("cpu", ""), "cpu: why not")


async def test_a_provider_that_breaks_is_a_trouble_and_no_end(room: Room) -> None:
    async def broken(_instance: str) -> float:
        raise RuntimeError("a mistake in a plugin")

    provider: Any = room.facts.provider
    provider.memory_bytes = broken
    room.pages.put("/metrics", VLLM)
    room.gauges.want({NAME: {**mine(f"{room.pages.url}/metrics"), "memory": None}})
    trouble = {"memory": "RuntimeError: a mistake in a plugin"}
    await until(lambda: room.gauges.values(NAME) == ({MINE: 7.0}, trouble), "the rest goes on")


def test_what_processes_hold_of_the_fullest_card() -> None:
    told = "GPU-a, 7, 1000\nGPU-a, 8, 24\nGPU-b, 7, 512\nGPU-b, 9, 9000\nGPU-b, 10, [N/A]\n"
    assert held_by(told, frozenset({7, 8})) == 1024 * 1024 * 1024
    assert held_by(told, frozenset({10, 11})) is None


async def test_a_card_whose_memory_nobody_tells() -> None:
    card: Any = Card()
    assert await gpu_memory(card, frozenset({7}), 1.0) == (2048 * 1024 * 1024, "GPU memory (whole card)")
    card.said = {"memory.used": Ran(127, "sh: nvidia-smi: not found")}
    with pytest.raises(Temporary, match="no nvidia-smi"):
        await gpu_memory(card, None, 1.0)
    card.said = {"memory.used": Ran(0, "[N/A]\n")}
    with pytest.raises(Temporary, match="does not say how much GPU memory"):
        await gpu_memory(card, None, 1.0)
