"""The control room as a test sees it: the real one, with a fake provider and a fake gateway around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.control.fake_front import NAME, FakeFront
from tests.control.fake_provider import Cloud, FakeProvider
from tests.control.virtual_time import running, until

from poorwill import clock
from poorwill.control import observer, restore
from poorwill.control.desk import Desk
from poorwill.control.facts import Facts
from poorwill.control.probe import Probe
from poorwill.control.reconcile import Reconciler
from poorwill.control.recorder import Recorder
from poorwill.core.model import Failures, Service
from poorwill.store.journal import Event, Journal, Kind, Restored

__all__ = ["NAME", "PLACE", "PROBE", "RULES", "FakeFront", "House", "a_house"]

PLACE = "notes-1"
RULES = Service(NAME, idle_after=60.0, drain=10.0, start_timeout=40.0)
PROBE = Probe(None, lambda _: True)


class House:
    """One life of the control plane; ``cloud``, ``front`` and the journal's folder may outlive it."""

    def __init__(self, journal: Journal, cloud: Cloud, front: FakeFront, tasks: asyncio.TaskGroup) -> None:
        self.journal, self.cloud, self.front = journal, cloud, front
        self._group = tasks
        self.tasks: set[asyncio.Task[None]] = set()
        self.forgotten: list[str] = []
        self.recorder = Recorder(journal)
        self.reconciler = Reconciler(front, self.recorder, self.spawn, self.forgotten.append)
        self.desk = Desk(self.reconciler, self.recorder)
        front.nudge = self.reconciler.nudge

    def spawn(self, work: Coroutine[Any, Any, None]) -> object:
        task = self._group.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def add(
        self,
        restored: Restored | None = None,
        name: str = NAME,
        failures: Failures | None = None,
        **more: Any,
    ) -> Facts:
        now, restored = clock.now(), restored or Restored()
        given: dict[str, Any] = {
            "rules": Service(name, RULES.idle_after, RULES.drain, RULES.start_timeout),
            "provider": FakeProvider(self.cloud),
            "probe": PROBE,
            "places": restore.places(name, 1, restored, now),
            "hand": restore.hand(restored.hand, now),
            "wakes": restore.wakes(restored),
        }
        facts = Facts(**{**given, **more})
        if failures is not None:
            next(iter(facts.places.values())).failures = failures
        self.reconciler.add(facts)
        return facts

    def phase(self, name: str = NAME) -> str:
        facts = self.reconciler.services.get(name)
        return str(facts.decision.phase) if facts and facts.decision else ""

    async def becomes(self, phase: str, within: float = 60.0, name: str = NAME) -> float:
        """Wait in virtual time for a phase; returns the seconds that took."""
        return await until(lambda: self.phase(name) == phase, within, f"{phase}, it is {self.phase(name)}")

    async def events(self, *kinds: Kind) -> list[Event]:
        await self.recorder.flush(30.0)
        found = await self.journal.events(limit=10_000)
        return [event for event in found if not kinds or event.kind in kinds]

    def end(self) -> None:
        """``kill -9``, as far as the journal and the world can tell."""
        for task in self.tasks:
            task.cancel()


@asynccontextmanager
async def a_house(
    folder: Path, cloud: Cloud | None = None, front: FakeFront | None = None
) -> AsyncIterator[House]:
    """The control room at work in virtual time. An instance is ready when the cloud's copy answers."""
    cloud, front = cloud or Cloud(), front or FakeFront()

    async def answered(_: Probe, __: tuple[str, int], failed: Callable[[str], None]) -> None:
        while not cloud.answers():
            failed("it does not answer")
            await asyncio.sleep(0.05)

    running()
    journal = await Journal.open(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(observer, "until_ready", answered)
        try:
            async with asyncio.TaskGroup() as tasks:
                house = House(journal, cloud, front, tasks)
                house.spawn(house.recorder.run())
                house.spawn(house.reconciler.run())
                yield house
                house.end()
        finally:
            await journal.close()
