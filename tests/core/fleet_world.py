"""A small world around the real control room, for a service with several instances.

It is ``world.py`` with a cloud and a membership for each instance, and a load that comes and goes: ``level``
times as many requests as keep one instance busy.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from sqlalchemy import create_engine
from tests.control.fake_provider import FOREVER
from tests.control.virtual_time import VirtualLoop, virtual_loop
from tests.core.control_plane import STALE_AFTER, Disk, Visitor
from tests.core.fleet_life import AIM, RULES, FleetLife
from tests.core.fleet_plane import INSTANCES, MOST, NAME, PORTS, Clouds, Envoy

from poorwill.control import observer, reconcile
from poorwill.control.apply import STOP_DEADLINE
from poorwill.control.probe import Probe
from poorwill.core.action import Decision, Join, OpenGate, Start, Stop
from poorwill.core.door import GateState, Membership
from poorwill.core.lifecycle import START_BACKOFF
from poorwill.core.model import Condition, HandKind, IntentKind, Now, Observation
from poorwill.core.target import Target as Where
from poorwill.store import schema
from poorwill.store.journal import Kind


@dataclass
class FleetWorld:
    """Everything. ``settle`` is the cloud's: its calls take effect and show in ``list`` within it."""

    loop: VirtualLoop
    disk: Disk
    settle: float
    level: int = 0
    broken: list[BaseException] = field(default_factory=list)
    visitors: list[Visitor] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clouds = Clouds()
        self.envoy = Envoy(self.clouds, self.loop)
        for cloud in self.clouds.each.values():
            cloud.on_start, cloud.on_stop = self._noting(self.check_start), self._noting(self.check_stop)
        self.life = FleetLife(self)

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
        self.life = FleetLife(self)
        self.visitors = [visitor for visitor in self.visitors if not visitor.ended]
        for visitor in self.visitors:
            self.life.spawn(self.life.hold(visitor))

    def visit(self, kind: str, lasts: float, patience: float) -> None:
        visitor = Visitor(self.loop.time() + patience, kind, "silent", lasts)
        if self.envoy.open or self.life.door.passable.is_set():
            visitor.ended = "answered" if self.envoy.begin(kind, "silent", lasts) else "lost"
        elif self.life.door.refusal is None:
            self.visitors.append(visitor)
            self.life.spawn(self.life.hold(visitor))

    def page(self) -> None:
        if not self.envoy.open and self.life.door.refusal is None:
            self.life.door.ask(self.loop.time())

    def say(self, kind: HandKind | None) -> None:
        desk = self.life.desk
        self.life.spawn(desk._say(NAME, kind, None, "by hand") if kind else desk.auto(NAME, "by hand"))

    # --- what must always hold ----------------------------------------------------------------------

    def check(self, seen: Observation, decision: Decision, now: Now) -> None:
        assert decision.look_again_at is None or decision.look_again_at > now.mono
        assert decision.reason, f"no reason for {decision}"
        assert 0 <= decision.desired <= MOST
        known = {one.id: one for one in seen.instances}
        starts = [action.instance for action in decision.actions if isinstance(action, Start)]
        stays = [one for one in seen.instances if one.id not in starts and _stays(one)]
        if starts:
            assert len(stays) + len(starts) <= decision.desired, f"more than wanted: {decision}"
        for action in decision.actions:
            if isinstance(action, OpenGate):
                able = [one for one in seen.instances if one.ready or one.condition is Condition.UNKNOWN]
                assert able, "opened the gate to nobody"
            if isinstance(action, Join | Start | Stop):
                assert known[action.instance].condition is not Condition.UNKNOWN, f"unknown: {action}"
            if isinstance(action, Join):
                assert known[action.instance].ready, f"sent visitors to what has not answered: {action}"
            if isinstance(action, Start):
                assert known[action.instance].condition is Condition.ABSENT
            if isinstance(action, Stop) and not _stopped_before(known[action.instance]):
                member = known[action.instance].member.state
                assert seen.gate.state is GateState.CLOSED or member is Membership.OUT, (
                    "stopped what is routed"
                )
                assert not self.envoy.sends_to(action.instance), f"Envoy sends visitors there: {action}"

    def _noting(self, check: Callable[[str], None]) -> Callable[[str], None]:
        def run(instance: str) -> None:
            try:
                check(instance)
            except AssertionError as error:
                self.broken.append(error)

        return run

    def check_start(self, instance: str) -> None:
        cloud = self.clouds.each[instance]
        assert cloud.copy() is None, f"{instance} was started twice"
        assert not cloud.starting, f"{instance} was started twice"
        assert len(self.clouds.here()) < MOST, f"more than {MOST}"
        assert self._last(instance) is Kind.START, "started before the intent was on the disk"

    def check_stop(self, instance: str) -> None:
        now = self.loop.time()
        if self.clouds.each[instance].copy() is None:
            return
        assert self._last(instance) is Kind.STOP, "stopped before the intent was on the disk"
        assert not self.envoy.sends_to(instance), f"stopped {instance}, where Envoy sends visitors"
        for flow in self.envoy.flows(instance):
            assert not flow.busy, f"cut {flow} at {now}"
            shut = max(flow.begun, self.envoy.shut_at[instance])
            assert now - shut >= RULES.drain - 0.01, f"cut {flow} at {now}, shut since {shut}"

    def _last(self, instance: str) -> Kind | None:
        kinds = (Kind.START, Kind.STOP)
        mine = [one.kind for one in self.disk.events() if one.instance == instance and one.kind in kinds]
        return mine[-1] if mine else None

    # --- what must come true in the end -------------------------------------------------------------

    def heal(self) -> float:
        """All faults cease. Returns how long what has begun badly may still take, in seconds."""
        weather = self.clouds.weather
        weather.start = weather.stop = weather.looking = "ok"
        weather.ready_after, weather.dies_after, weather.running_after = 1.0, FOREVER, 0.2
        self.clouds.capacity, self.disk.broken = MOST, False
        self.envoy.answers_stats, self.envoy.flip_takes = True, 0.005
        intents = [place.intent for place in self.life.facts.places.values()]
        hung = STOP_DEADLINE + 70 if any(one and one.kind is IntentKind.STOP for one in intents) else 0.0
        return hung + STALE_AFTER * 2 + 3 * self.settle + 20 + START_BACKOFF[1] + 2 * RULES.start_timeout

    def has(self, count: int) -> None:
        """So many instances come to be, and take visitors; then the rest is gone."""
        slack = self.heal()
        self.level = count
        self.envoy.end_flows()
        self.say(HandKind.WAKE if count else None)
        for visitor in self.visitors:
            visitor.kind, visitor.lasts = "active", 1.0
        patience = max([0.0, *(v.leaves_at - self.loop.time() for v in self.visitors if not v.ended)])
        limit = slack + patience + 4 * AIM.stable + 2 * RULES.idle_after + RULES.drain
        healed_at = self.loop.time() + 1.0 + self.settle

        def done() -> bool:
            facts = self.life.facts
            known = facts.looked_at is not None and facts.looked_at > healed_at
            return (
                known and facts.decision is not None and facts.decision.desired == count and self._is(count)
            )

        self.wait(done, limit, f"{count} instances")
        self.advance(2 * AIM.stable + 10.0)
        assert self._is(count), f"{count} instances do not last; {self.tell()}"

    def lasts(self, count: int) -> None:
        """Nobody notices that the control plane is killed and comes back."""
        self.has(count)
        self.restart(1.0)
        for _ in range(20):
            self.advance(0.5)
            assert self._is(count), f"{count} instances do not outlast a restart; {self.tell()}"

    def wakes_for_a_page(self) -> None:
        self.has(0)
        self.level = 1
        self.page()
        fresh = not self.life.facts.failures.count
        self.wait(lambda: self._is(1) or not fresh, 60.0, "awake for a page")

    def _is(self, count: int) -> bool:
        sent = [name for name in INSTANCES if self.envoy.sends_to(name)]
        answer = [name for name in INSTANCES if self.clouds.each[name].answers()]
        return len(self.clouds.here()) == count and sorted(sent) == sorted(answer) and len(sent) == count

    def tell(self) -> str:
        """The state of affairs, for the message of a test that failed."""
        last = [f"{one.mono:.3f} {one.instance} {one.kind} {one.reason}" for one in self.disk.events()[-40:]]
        members = [(name, self.life.board.member(NAME, name)) for name in INSTANCES]
        decision, gate = self.life.facts.decision, self.life.board.gate(NAME)
        state = [self.loop.time(), gate, members, self.life.facts.places, decision, self.envoy.places]
        return "\n".join(map(str, [*state, self.clouds.here(), self.envoy.flows(), *last]))


def _stays(instance: Any) -> bool:
    stopping = instance.intent is not None and instance.intent.kind is IntentKind.STOP
    gone = instance.condition is Condition.ABSENT and instance.intent is None
    return not (gone or stopping or instance.condition is Condition.STOPPING)


def _stopped_before(instance: Any) -> bool:
    return instance.intent is not None and instance.intent.kind is IntentKind.STOP


_ENGINE = create_engine("sqlite://")
schema.metadata.create_all(_ENGINE)


@contextmanager
def a_fleet(settle: float) -> Iterator[FleetWorld]:
    with virtual_loop() as loop, _ENGINE.connect() as connection, pytest.MonkeyPatch.context() as patch:
        before = structlog.get_config()["wrapper_class"]
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        world = FleetWorld(loop, Disk(connection), settle)

        async def answered(_probe: Probe, where: Where, failed: Callable[[str], None]) -> None:
            name = next(one for one, port in PORTS.items() if port == where.port)
            while not world.clouds.each[name].answers():
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
