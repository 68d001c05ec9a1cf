"""One life of the real control plane that has charge of several instances, in the world of the fleet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.control.fake_provider import FOREVER
from tests.core.control_plane import STALE_AFTER, Life
from tests.core.fleet_plane import MOST, NAME, Board, FleetProvider

from poorwill.control import reconcile, restore
from poorwill.control.desk import Desk
from poorwill.control.facts import Facts
from poorwill.control.probe import Probe
from poorwill.control.recorder import Recorder
from poorwill.core.action import Decision
from poorwill.core.load import Load, Reading
from poorwill.core.metric import METRICS
from poorwill.core.model import Now, Observation, Service
from poorwill.core.scale import ScalePolicy
from poorwill.core.target_mode import Target
from poorwill.gateway.activity import Activity
from poorwill.gateway.doors import Door
from poorwill.gateway.front import Front

if TYPE_CHECKING:
    from tests.core.fleet_world import FleetWorld

AIM = Target(METRICS["concurrency"], 10.0, stable=6.0, panic=1.0)
RULES = Service(NAME, idle_after=60.0, drain=10.0, start_timeout=40.0, scale=ScalePolicy(0, MOST, target=AIM))


class Gauge:
    """The readings of one life of the control plane: what ``level`` instances are enough for."""

    def __init__(self, world: FleetWorld, nudge: Callable[[str], None]) -> None:
        self._world, self._nudge = world, nudge
        self._readings: list[Reading] = []
        self._awake = False

    def follow(self, _service: str, awake: bool) -> None:
        self._awake = awake

    def load(self, _service: str) -> Load:
        return Load(tuple(self._readings))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            if not self._awake:
                self._readings.clear()
            elif self._world.envoy.answers_stats:
                now = self._world.loop.time()
                self._readings = [*self._readings[-30:], Reading(now, 1.0, open=8 * self._world.level)]
                self._nudge(NAME)


class FleetLife(Life):
    """One life of the control plane that has charge of several instances."""

    def __init__(self, world: FleetWorld) -> None:
        self.world = world  # type: ignore[assignment]
        self.tasks = set()
        self.door = Door(NAME, FOREVER, self.nudge)
        self.board = Board(world.envoy, self.confirmed)  # type: ignore[assignment]
        self.activity = Activity(world.envoy, self.nudge, self.board.members)  # type: ignore[arg-type]
        gauge = Gauge(world, self.nudge)
        around = (self.board, self.activity, self.nudge, gauge)
        self.front = Front({NAME: self.door}, *around)  # type: ignore[arg-type]
        self.recorder = Recorder(world.disk)  # type: ignore[arg-type]
        self.reconciler = reconcile.Reconciler(self.front, self.recorder, self.spawn, lambda _: None)
        self.desk = Desk(self.reconciler, self.recorder)
        self.last = None
        restored, now = world.disk.restore(), world.loop.now()
        self.facts = Facts(
            rules=replace(RULES, settle=world.settle),
            provider=FleetProvider(world.clouds, world.settle, STALE_AFTER),  # type: ignore[arg-type]
            probe=Probe(None, lambda _: True),
            places=restore.places(NAME, MOST, restored, now),
            hand=restore.hand(restored.hand, now),
            wakes=restore.wakes(restored),
        )
        for work in (self.recorder.run(), self.reconciler.run(), self.activity.run(), gauge.run()):
            self.spawn(work)
        self.reconciler.add(self.facts)

    def decide(self, service: Service, seen: Observation, now: Now) -> Decision:
        """Averages change with time: they are looked at anew with each reading, a second later."""
        if seen.load.readings:
            self.last = None
        return super().decide(service, seen, now)
