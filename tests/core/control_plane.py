"""One life of the real control plane inside the simulated world, and the journal that it leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete
from tests.control.fake_provider import FOREVER, FakeProvider
from tests.core.data_plane import NAME, Board

from poorwill.control import reconcile, restore
from poorwill.control.desk import Desk
from poorwill.control.facts import Facts
from poorwill.control.probe import Probe
from poorwill.control.recorder import Recorder
from poorwill.core.action import Decision
from poorwill.core.decide import decide
from poorwill.core.model import Now, Observation, Service
from poorwill.errors import StateError
from poorwill.gateway.activity import Activity
from poorwill.gateway.doors import Door
from poorwill.gateway.front import Front
from poorwill.store import queries, schema
from poorwill.store.event import row_of
from poorwill.store.journal import Entry, Event, Restored

if TYPE_CHECKING:
    from tests.core.world import World

PLACE = "notes-1"
RULES = Service(NAME, idle_after=60.0, drain=10.0, start_timeout=40.0)
STALE_AFTER = 15.0


class Disk:
    """The journal without threads: the real rows and the real questions, in memory."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.broken = False
        self.refused_at = -FOREVER
        self.takes = 0.002
        self.early = False
        with connection.begin():
            connection.execute(delete(schema.event))

    async def append(self, now: Now, *entries: Entry) -> list[Event]:
        """``early`` is when a kill during the write finds the rows written."""
        if not self.early:
            await asyncio.sleep(self.takes)
        if self.broken:
            await asyncio.sleep(0.01)
            self.refused_at = asyncio.get_running_loop().time()
            raise StateError("the disk is full")
        with self._connection.begin():
            events = queries.insert_events(self._connection, [row_of(entry, now) for entry in entries])
        if self.early:
            await asyncio.sleep(self.takes)
        return events

    def restore(self) -> Restored:
        with self._connection.begin():
            return queries.restore(self._connection).get(NAME, Restored())

    def events(self) -> list[Event]:
        with self._connection.begin():
            return queries.select_events(self._connection, NAME, 0, 100_000, False)


@dataclass(slots=True)
class Visitor:
    """A request that is held at the gate."""

    leaves_at: float
    kind: str
    moves: str
    lasts: float
    ended: str = ""


class Life:
    """One life of the control plane, from its start to ``kill -9``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tasks: set[asyncio.Task[None]] = set()
        self.door = Door(NAME, FOREVER, self.nudge)
        self.board = Board(world.envoy, self.confirmed)
        self.activity = Activity(world.envoy, self.nudge)  # type: ignore[arg-type]
        self.front = Front({NAME: self.door}, self.board, self.activity, self.nudge)  # type: ignore[arg-type]
        self.recorder = Recorder(world.disk)  # type: ignore[arg-type]
        self.reconciler = reconcile.Reconciler(self.front, self.recorder, self.spawn, lambda _: None)
        self.desk = Desk(self.reconciler, self.recorder)
        self.last: tuple[Observation, Decision] | None = None
        restored, now = world.disk.restore(), world.loop.now()
        self.facts = Facts(
            rules=replace(RULES, settle=world.settle),
            provider=FakeProvider(world.cloud, world.settle, STALE_AFTER),  # type: ignore[arg-type]
            probe=Probe(None, lambda _: True),
            places=restore.places(NAME, 1, restored, now),
            hand=restore.hand(restored.hand, now),
            wakes=restore.wakes(restored),
        )
        for work in (self.recorder.run(), self.reconciler.run(), self.activity.run()):
            self.spawn(work)
        self.reconciler.add(self.facts)

    def nudge(self, service: str) -> None:
        self.reconciler.nudge(service)

    def confirmed(self, service: str) -> None:
        self.front.confirmed(service)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> object:
        task = self.world.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.world.broken.append(task.exception())

    def kill(self) -> None:
        self.board.dead = True
        for task in self.tasks:
            task.cancel()

    def decide(self, service: Service, seen: Observation, now: Now) -> Decision:
        """The real one, held to what it said the last time."""
        fresh = decide(service, seen, now)
        if self.last is not None and self.last[0] == seen:
            said = self.last[1]
            if said.look_again_at is None or now.mono < said.look_again_at:
                told = f"time alone changed {said} into {fresh}"
                assert (fresh.phase, fresh.reason) == (said.phase, said.reason), told
                return replace(said, actions=())
        self.last = seen, fresh
        self.world.check(seen, fresh, now)
        return fresh

    async def hold(self, visitor: Visitor) -> None:
        """The gate's answer to a request that can wait, as ``gateway.gate`` gives it."""
        door = self.door
        door.waiting += 1
        door.ask(self.world.loop.time())
        try:
            async with asyncio.timeout(max(0.0, visitor.leaves_at - self.world.loop.time())):
                while not door.passable.is_set():
                    if door.refusal is not None:
                        visitor.ended = "refused"
                        return
                    await door.change()
            through = self.world.envoy.begin(visitor.kind, visitor.moves, visitor.lasts)
            visitor.ended = "answered" if through else "lost"
        except TimeoutError:
            visitor.ended = "gave up"
        finally:
            door.waiting -= 1
