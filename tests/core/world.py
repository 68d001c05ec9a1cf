"""A small world around the real control room: a cloud, an Envoy, visitors and people, all simulated.

The reconciler, the applier, the observers, the recorder, the readings and the doors are the real ones; they
run in virtual time. One thing is stricter than real life: between two changes of the facts the loop is not
allowed to decide anew before the ``look_again_at`` of its last decision, so whatever relies on an
accidental look is found out.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import structlog
from sqlalchemy import create_engine, delete
from tests.control.fake_provider import FOREVER, Cloud, FakeProvider
from tests.control.virtual_time import VirtualLoop, virtual_loop

from poorwill.control import observer, reconcile, restore
from poorwill.control.apply import STOP_DEADLINE
from poorwill.control.desk import Desk
from poorwill.control.facts import Facts
from poorwill.control.probe import Probe
from poorwill.control.recorder import Recorder
from poorwill.core.decide import decide
from poorwill.core.lifecycle import START_BACKOFF
from poorwill.core.model import (
    Condition,
    Decision,
    Gate,
    GateState,
    Hand,
    HandKind,
    Now,
    Observation,
    OpenGate,
    Service,
    Start,
    Stop,
)
from poorwill.errors import GatewayError, StateError
from poorwill.gateway.activity import Activity
from poorwill.gateway.doors import Door
from poorwill.gateway.front import Front
from poorwill.store import queries, schema
from poorwill.store.event import row_of
from poorwill.store.journal import Entry, Event, Kind, Restored, RestoredInstance

NAME, PLACE = "notes", "notes-1"
RULES = Service(NAME, idle_after=60.0, drain=10.0, start_timeout=40.0)
STALE_AFTER = 15.0


@dataclass(slots=True)
class Flow:
    """A request that is open in Envoy. ``moves``: talking (2 kB/s), keep-alive (60 B each 15 s), silent."""

    kind: str
    moves: str
    begun: float
    ends_at: float

    def bytes(self, now: float) -> int:
        spent = min(now, self.ends_at) - self.begun
        return {"talking": int(spent * 2000), "keep-alive": int(spent // 15) * 60, "silent": 0}[self.moves]

    def worked_at(self, now: float) -> float:
        """When it last did something that counts as work."""
        return now if self.kind == "busy" or self.moves == "talking" else self.begun


class Envoy:
    """The data plane: outlives control planes. ``open`` is what it really does, ``wish`` what the file says."""

    def __init__(self, cloud: Cloud, loop: VirtualLoop) -> None:
        self.cloud, self.loop = cloud, loop
        self.open = self.wish = False
        self.closed_at = 0.0
        self.flip_takes = 0.005
        self.answers_stats = True
        self._flows: list[Flow] = []
        self._ended = {"active": [0, 0], "busy": [0, 0]}

    def set(self, wish: bool) -> None:
        self.wish = wish
        self.loop.call_later(self.flip_takes / 2, self._apply)

    def _apply(self) -> None:
        if self.open and not self.wish:
            self.closed_at = self.loop.time()
        self.open = self.wish

    def flows(self) -> list[Flow]:
        now = self.loop.time()
        alive = self.cloud.answers()
        for flow in [f for f in self._flows if not alive or f.ends_at <= now]:
            self._flows.remove(flow)
            self._ended[flow.kind][0] += 1
            self._ended[flow.kind][1] += flow.bytes(now)
        return self._flows

    def begin(self, kind: str, moves: str, lasts: float) -> bool:
        """A request goes to the instance; false when nobody is there."""
        self.flows()
        if not self.cloud.answers():
            return False
        now = self.loop.time()
        self._flows.append(Flow(kind, moves, now, now + lasts))
        return True

    def end_flows(self, which: Callable[[Flow], bool]) -> None:
        for flow in self._flows:
            if which(flow):
                flow.ends_at = self.loop.time()

    def restart(self) -> None:
        self._flows.clear()
        self._ended = {"active": [0, 0], "busy": [0, 0]}

    async def stats(self, pattern: str) -> dict[str, int | str]:
        await asyncio.sleep(0.001)
        if not self.answers_stats:
            raise GatewayError("envoy does not answer")
        found: dict[str, int | str] = {}
        now, flows = self.loop.time(), self.flows()
        for kind, (requests, moved) in self._ended.items():
            mine = [flow for flow in flows if flow.kind == kind]
            stem = f"cluster.{NAME}/{kind}.upstream"
            found[f"{stem}_rq_active"] = len(mine)
            found[f"{stem}_rq_total"] = requests + len(mine)
            found[f"{stem}_cx_rx_bytes_total"] = moved + sum(flow.bytes(now) for flow in mine)
        return {name: value for name, value in found.items() if re.match(pattern, name)}


class Board:
    """The switchboard of one life of the control plane."""

    def __init__(self, envoy: Envoy, changed: Callable[[str], None]) -> None:
        self._envoy, self._changed = envoy, changed
        self._token = 0
        self._pending = False
        self.dead = False
        self._move()

    def gate(self, _: str) -> Gate:
        return self._gate

    def confirmed(self, _: str) -> bool:
        return not self._pending

    def open(self, _: str) -> None:
        self._envoy.set(True)
        self._move()

    def close(self, _: str) -> None:
        self._envoy.set(False)
        self._move()

    def route(self, service: str, addresses: Any) -> None:
        """Endpoints are not part of this world."""

    def _move(self) -> None:
        self._gate = Gate(GateState.MOVING, self._envoy.loop.time())
        self._pending, self._token = True, self._token + 1
        self._envoy.loop.call_later(self._envoy.flip_takes, self._confirm, self._token)

    def _confirm(self, token: int) -> None:
        if token != self._token or self.dead:
            return
        state = GateState.OPEN if self._envoy.wish else GateState.CLOSED
        self._gate, self._pending = Gate(state, self._envoy.loop.time()), False
        self._changed(NAME)


class Disk:
    """The journal without threads: the real rows and the real questions, in memory."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.broken = False
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
        self.desk = Desk(self.reconciler, self.front, self.recorder)
        self.last: tuple[Observation, Decision, Now] | None = None
        restored, now = world.disk.restore(), world.loop.now()
        place = restore.place(PLACE, restored.instances.get(PLACE, RestoredInstance()), now)
        self.facts = Facts(
            rules=replace(RULES, settle=world.settle),
            provider=FakeProvider(world.cloud, world.settle, STALE_AFTER),  # type: ignore[arg-type]
            probe=Probe(None, lambda _: True),
            places={PLACE: place},
            hand=restore.hand(restored.hand, now),
            failures=restore.failures(restored, now),
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
                assert (fresh.phase, fresh.reason) == (said.phase, said.reason), f"time alone: {said} {fresh} {self.last[2]} {now.mono} {seen}"
                return replace(said, actions=())
        self.last = seen, fresh, now
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


@dataclass
class World:
    """Everything. ``settle`` is the cloud's: its calls take effect and show in ``list`` within it."""

    loop: VirtualLoop
    disk: Disk
    settle: float
    broken: list[BaseException] = field(default_factory=list)
    visitors: list[Visitor] = field(default_factory=list)
    events_by_people: list[float] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cloud = Cloud()
        self.cloud.on_start, self.cloud.on_stop = self.check_start, self.check_stop
        self.envoy = Envoy(self.cloud, self.loop)
        self.starts: list[float] = []
        self.life = Life(self)

    # --- time ---------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))
        if self.broken:
            raise self.broken[0]

    def wait(self, condition: Callable[[], bool], within: float, what: str) -> None:
        for _ in itertools.takewhile(lambda _: not condition(), range(int(within))):
            self.advance(1.0)
        assert condition(), f"{what} within {within:g} s; {self.tell()}"

    def restart(self, away: float) -> None:
        """``kill -9``, and a new control plane after a while."""
        self.life.kill()
        self.advance(away)
        self.restarts.append(self.loop.time())
        self.life = Life(self)
        self.visitors = [visitor for visitor in self.visitors if not visitor.ended]
        for visitor in self.visitors:  # Envoy asks again by itself
            self.life.spawn(self.life.hold(visitor))

    # --- visitors and people ------------------------------------------------------------------------

    def visit(self, kind: str, moves: str, lasts: float, patience: float) -> Visitor:
        visitor = Visitor(self.loop.time() + patience, kind, moves, lasts)
        if self.envoy.open or self.life.door.passable.is_set():
            visitor.ended = "answered" if self.envoy.begin(kind, moves, lasts) else "lost"
        elif self.life.door.refusal is not None:
            visitor.ended = "refused"
        else:
            self.visitors.append(visitor)
            self.life.spawn(self.life.hold(visitor))
        return visitor

    def page(self) -> None:
        if not self.envoy.open and self.life.door.refusal is None:
            self.life.door.ask(self.loop.time())

    def say(self, kind: HandKind | None, seconds: float | None = None, force: bool = False) -> None:
        self.events_by_people.append(self.loop.time())
        self.life.spawn(self._say(self.life, kind, seconds, force))

    async def _say(self, life: Life, kind: HandKind | None, seconds: float | None, force: bool) -> None:
        if kind is None:
            await life.desk.auto(NAME, "by hand")
            return
        await life.desk._say(NAME, kind, seconds, "by hand")
        if force and life.facts.hand is not None:
            life.facts.hand = replace(life.facts.hand, force=True)
            life.nudge(NAME)

    def in_force(self) -> Hand | None:
        hand = self.life.facts.hand
        return hand if hand and (hand.until is None or self.loop.time() < hand.until) else None

    # --- what must always hold ----------------------------------------------------------------------

    def check(self, seen: Observation, decision: Decision, now: Now) -> None:
        instance, acts = seen.instances[0], [type(action) for action in decision.actions]
        assert decision.look_again_at is None or decision.look_again_at > now.mono
        if instance.condition is Condition.UNKNOWN:
            assert not acts, f"acted on what nobody knows: {decision}"
        if OpenGate in acts:
            assert instance.ready, "opened the gate to what has not answered"
        if Start in acts:
            assert instance.condition is Condition.ABSENT
            assert instance.intent is None or (instance.intent.returned_at is None and self.restarts)
            failures = seen.failures
            by_hand = seen.hand and seen.hand.kind is HandKind.WAKE and seen.hand.at > failures.last_at
            if failures.count and not by_hand and instance.intent is None:
                pause = min(START_BACKOFF[1], START_BACKOFF[0] * 2 ** (failures.count - 1))
                assert now.mono >= failures.last_at + pause, "retried too early"
        if Stop in acts:
            assert seen.gate.state is GateState.CLOSED, "stopped what is routed"

    def check_start(self, instance: str) -> None:
        now = self.loop.time()
        copy = self.cloud.copy()
        assert copy is None, f"started while {copy} exists"
        assert self.cloud.starting == 0, "started twice"
        self.starts.append(now)
        recent = sum(now - at < 60 for at in self.starts)
        excuses = sum(now - at < 60 for at in self.events_by_people + self.restarts)
        assert recent <= 7 + excuses, "starts in a tight loop"

    def check_stop(self, instance: str) -> None:
        now = self.loop.time()
        assert not self.envoy.open, "stopped while the gate was open"
        hand = self.in_force()
        if hand is not None and hand.force:
            return
        for flow in self.envoy.flows():
            quiet_for = now - max(flow.worked_at(now), self.envoy.closed_at)
            assert quiet_for >= RULES.drain - 0.01, f"cut {flow} at {now}"

    def check_journal(self) -> None:
        """Each intent is committed before its call, and concluded exactly once."""
        state, restarts = "none", iter([*self.restarts, FOREVER])
        restart = next(restarts)
        follows = {
            Kind.START: {"none": "starting"},
            Kind.READY: {"starting": "ready"},
            Kind.FAILED: {"starting": "none", "ready": "none", "adopted": "none"},
            Kind.CRASHED: {"ready": "none"},
            Kind.STOP: {"starting": "stopping", "ready": "stopping", "none": "stopping"},
            Kind.STOPPED: {"stopping": "none", "starting": "none"},
        }
        for event in self.disk.events():
            renewed = False
            while event.mono >= restart:
                restart, renewed = next(restarts), True
            if event.kind is Kind.START and state == "starting" and self.restarts:
                continue  # asked again, because a restart forgot whether the first call was made
            if event.kind in follows:
                assert state in follows[event.kind], f"{event} while {state} {renewed}"
                state = follows[event.kind][state]

    # --- what must come true in the end -------------------------------------------------------------

    def heal(self) -> float:
        """All faults cease. Returns how long what has begun badly may still take, in seconds."""
        weather = self.cloud.weather
        for name in ("start", "stop", "looking"):
            setattr(weather, name, "ok")
        weather.ready_after, weather.dies_after, weather.running_after = 1.0, FOREVER, 0.2
        self.disk.broken = False
        self.envoy.answers_stats, self.envoy.flip_takes = True, 0.005
        stopping = self.life.facts.places[PLACE].intent
        hung = STOP_DEADLINE + 70 if stopping and stopping.kind == "stop" else 0.0
        return hung + STALE_AFTER * 2 + 3 * self.settle + 10

    def falls_asleep(self) -> None:
        slack = self.heal()
        self.say(None)
        self.envoy.end_flows(lambda flow: flow.kind == "busy" or flow.moves == "talking")
        for visitor in self.visitors:
            visitor.moves, visitor.kind, visitor.lasts = "silent", "active", 1.0
        patience = max([0.0, *(v.leaves_at - self.loop.time() for v in self.visitors if not v.ended)])
        limit = patience + 2 * RULES.start_timeout + 2 * RULES.idle_after + RULES.drain + slack
        self.wait(lambda: self.cloud.copy() is None and self._desired() == 0, limit, "nothing runs")
        self.wait(lambda: self._phase() == "asleep", START_BACKOFF[1] + slack, "asleep")

    def wakes_up(self) -> None:
        slack = self.heal()
        self.say(None)
        self.advance(2.0)
        limit = 2 * RULES.start_timeout + START_BACKOFF[1] + slack
        visitor = self.visit("active", "silent", 1.0, limit)
        while visitor.ended in ("lost", "refused"):
            self.advance(1.0)
            visitor = self.visit("active", "silent", 1.0, limit)
        self.wait(lambda: visitor.ended == "answered", limit, "answered")

    def tell(self) -> str:
        """The state of affairs, for the message of a test that failed."""
        place = self.life.facts.places[PLACE]
        last = [f"{event.mono:.3f} {event.kind} {event.reason}" for event in self.disk.events()[-25:]]
        return "\n".join(map(str, [self.loop.time(), place, self.life.facts.decision, self.envoy.flows(), *last]))

    def _phase(self) -> str:
        decision = self.life.facts.decision
        return decision.phase if decision else ""

    def _desired(self) -> int:
        decision = self.life.facts.decision
        return decision.desired if decision else 1


_ENGINE = create_engine("sqlite://")
schema.metadata.create_all(_ENGINE)


@contextmanager
def a_world(settle: float) -> Iterator[World]:
    with virtual_loop() as loop, _ENGINE.connect() as connection, pytest.MonkeyPatch.context() as patch:
        quiet = structlog.make_filtering_bound_logger(50)
        before = structlog.get_config()["wrapper_class"]
        structlog.configure(wrapper_class=quiet)
        world = World(loop, Disk(connection), settle)

        async def answered(_probe: Probe, _address: Any, failed: Callable[[str], None]) -> None:
            while not world.cloud.answers():
                failed("it does not answer")
                await asyncio.sleep(0.1)

        patch.setattr(observer, "until_ready", answered)
        patch.setattr(reconcile, "decide", lambda *args: world.life.decide(*args))
        try:
            yield world
        finally:
            world.life.kill()
            loop.run_until_complete(asyncio.sleep(0))
            loop.run_until_complete(asyncio.sleep(0))
            structlog.configure(wrapper_class=before)
