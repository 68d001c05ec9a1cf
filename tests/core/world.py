"""A small world around the real control room: a cloud, an Envoy, visitors and people, all simulated.

The reconciler, the applier, the observers, the recorder, the readings and the doors are the real ones; they
run in virtual time. One thing is stricter than real life: between two changes of the facts the loop is not
allowed to decide anew before the ``look_again_at`` of its last decision (``Life.decide``), so whatever
relies on an accidental look is found out.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import structlog
from sqlalchemy import create_engine
from tests.control.fake_provider import FOREVER, Cloud
from tests.control.virtual_time import VirtualLoop, virtual_loop
from tests.core.control_plane import PLACE, RULES, STALE_AFTER, Disk, Life, Visitor
from tests.core.data_plane import NAME, Envoy

from poorwill.control import observer, reconcile
from poorwill.control.apply import STOP_DEADLINE, STOP_UNWRITTEN
from poorwill.control.probe import Probe
from poorwill.core.action import Decision, OpenGate, Start, Stop
from poorwill.core.door import GateState
from poorwill.core.lifecycle import START_BACKOFF
from poorwill.core.model import Condition, Hand, HandKind, IntentKind, Now, Observation, Outcome
from poorwill.store import schema
from poorwill.store.journal import Kind


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
        self.cloud.on_start, self.cloud.on_stop = (
            self._noting(self.check_start),
            self._noting(self.check_stop),
        )
        self.envoy = Envoy(self.cloud, self.loop)
        self.starts: list[float] = []
        self.both: set[str] = set()
        self.forced: set[str] = set()
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

    def somebody_starts_it(self) -> None:
        """Where everybody can see that nothing is there, and Poorwill does nothing about it either."""
        place, cloud = self.life.facts.places[PLACE], self.cloud
        nothing = cloud.copy() is None and cloud.shown() is None and not cloud.starting
        known = place.sighting is not None and place.condition is Condition.ABSENT and place.intent is None
        known = known and place.outcome is not Outcome.READY  # and it is written down
        known = known and not self.disk.broken and not self.life.recorder.trouble  # see ADR 8
        if nothing and known and not self.life.facts.failures.count:
            cloud.begin(PLACE, foreign=True)
            self.advance(0.001)

    def adopt(self) -> None:
        """A person hands over what somebody else started, if Poorwill has seen it."""
        if self.life.facts.foreign:
            self.cloud.adopt()
            self.life.spawn(self.life.desk.adopt(NAME, "by hand"))
            self.loop.run_until_complete(self.life.recorder.flush(60.0))
            self.advance(0.1)

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
            failures = seen.instances[0].failures
            by_hand = seen.hand and seen.hand.kind is HandKind.WAKE and seen.hand.at > failures.last_at
            if failures.count and not by_hand and instance.intent is None:
                pause = min(START_BACKOFF[1], START_BACKOFF[0] * 2 ** (failures.count - 1))
                assert now.mono >= failures.last_at + pause, "retried too early"
        if Stop in acts and (instance.intent is None or instance.intent.kind is not IntentKind.STOP):
            hand, copy = self.in_force(), self.cloud.copy()
            forced = hand is not None and hand.force
            if forced and copy is not None:
                self.forced.add(copy.life)
            moved = seen.gate.state is GateState.MOVING and forced
            assert seen.gate.state is GateState.CLOSED or moved, "stopped what is routed"

    def _noting(self, check: Callable[[str], None]) -> Callable[[str], None]:
        """What a provider raises is caught by the applier; a broken promise must come out here."""

        def run(instance: str) -> None:
            try:
                check(instance)
            except AssertionError as error:
                self.broken.append(error)

        return run

    def check_start(self, instance: str) -> None:
        now = self.loop.time()
        copy = self.cloud.copy()
        assert copy is None or copy.foreign or copy.life in self.both, f"started while {copy} exists"
        if copy is not None:  # two started it at the same moment: nobody can tell whose it is
            self.both.add(copy.life)
            self.cloud.adopt()
        assert self.cloud.starting == 0, "started twice"
        self.starts.append(now)
        assert self._written(Kind.START), "started before the intent was on the disk"
        recent = sum(now - at < 60 for at in self.starts)
        excuses = sum(now - at < 60 for at in self.events_by_people + self.restarts)
        assert recent <= 7 + excuses, "starts in a tight loop"

    def check_stop(self, instance: str) -> None:
        now, copy = self.loop.time(), self.cloud.copy()
        full = now - self.disk.refused_at < 2 * STOP_UNWRITTEN
        assert full or self._written(Kind.STOP), "stopped before the intent was on the disk"
        if copy is None:
            return  # it has just crashed: there is nothing to cut
        assert not copy.foreign, "stopped what somebody else started"
        if copy.life in self.forced:
            assert not self.envoy.wish, "stopped while the gate was to be open"
            return
        assert not self.envoy.open, "stopped while the gate was open"
        for flow in self.envoy.flows():
            worked_at = flow.worked_at(now)
            assert now - max(worked_at, self.envoy.closed_at) >= RULES.drain - 0.01, f"cut {flow} at {now}"
            if max(self.envoy.blind_at, *self.restarts, 0.0) < flow.begun:
                assert now - worked_at >= RULES.idle_after - 0.01, f"cut {flow} at {now}, not silent for long"

    def _written(self, kind: Kind) -> bool:
        intents = [event.kind for event in self.disk.events() if event.kind in (Kind.START, Kind.STOP)]
        return bool(intents) and intents[-1] is kind

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
            Kind.ADOPT: {"none": "ready"},
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
        if (copy := self.cloud.copy()) is not None and copy.foreign:
            self.wait(lambda: self.life.facts.foreign or not self._foreign(), slack, "seen to be foreign")
            self.adopt()
        self.envoy.end_flows(lambda flow: flow.kind == "busy" or flow.moves == "talking")
        for visitor in self.visitors:
            visitor.moves, visitor.kind, visitor.lasts = "silent", "active", 1.0
        patience = max([0.0, *(v.leaves_at - self.loop.time() for v in self.visitors if not v.ended)])
        limit = patience + 2 * RULES.start_timeout + 2 * RULES.idle_after + RULES.drain + slack
        self.wait(lambda: self.cloud.copy() is None and self._desired() == 0, limit, "nothing runs")
        self.wait(lambda: self._phase() == "asleep", START_BACKOFF[1] + slack, "asleep")

    def wakes_up(self) -> None:
        limit = self.heal() + 2 * RULES.start_timeout + START_BACKOFF[1]
        self.let_it()
        facts = self.life.facts
        nothing = (
            self.cloud.copy() is None and self.cloud.starting == 0
        )  # nor somebody else's that never answers
        fresh = self._phase() == "asleep" and not facts.failures.count and nothing
        visitor = self.visit("active", "silent", 1.0, limit)

        def answered() -> bool:
            nonlocal visitor
            assert visitor.ended != "refused"
            if visitor.ended == "lost":  # it crashed at this very moment
                visitor = self.visit("active", "silent", 1.0, limit)
            return visitor.ended == "answered"

        self.wait(answered, limit, "answered")
        assert not (fresh and facts.failures.count), "a start that went well was called a failure"

    def wakes_up_for_a_page(self) -> None:
        """Who asks once is served too, unless a back-off or a stop outlasts the interest."""
        limit = self.heal() + 2 * RULES.start_timeout
        self.let_it()
        place = self.life.facts.places[PLACE]
        stopping = IntentKind.STOP
        self.wait(
            lambda: not place.intent or place.intent.kind is not stopping, limit, "no stop is under way"
        )
        self.page()
        if self.life.facts.failures.count == 0:
            self.wait(lambda: self.envoy.open or self.life.facts.failures.count > 0, limit, "open")

    def let_it(self) -> None:
        """A person who put it to sleep, or wants to, gives it back."""
        self.loop.run_until_complete(self.life.recorder.flush(60.0))
        self.advance(0.1)
        hand = self.in_force()
        if hand is not None and hand.kind is HandKind.SLEEP:
            self.say(None)
            self.loop.run_until_complete(self.life.recorder.flush(60.0))
            self.advance(0.1)

    def tell(self) -> str:
        """The state of affairs, for the message of a test that failed."""
        place = self.life.facts.places[PLACE]
        last = [f"{event.mono:.3f} {event.kind} {event.reason}" for event in self.disk.events()[-25:]]
        return "\n".join(
            map(str, [self.loop.time(), place, self.life.facts.decision, self.envoy.flows(), *last])
        )

    def _foreign(self) -> bool:
        copy = self.cloud.copy()
        return copy is not None and copy.foreign

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
