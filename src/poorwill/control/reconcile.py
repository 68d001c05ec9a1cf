"""The loop and the only writer: observe → decide → record → apply → sleep until it is worth looking again.

Everybody else only changes facts (visitors ask, a person says wake, a provider is looked at) and calls
``nudge``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import structlog

from poorwill import clock
from poorwill.control.apply import Applier, Spawn
from poorwill.control.busy import Busy
from poorwill.control.debts import Debts
from poorwill.control.facts import AT_REST, Facts, Tenancy
from poorwill.control.front import Front
from poorwill.control.indoors import Indoors
from poorwill.control.needs import Needs
from poorwill.control.observation import observe
from poorwill.control.observer import Observers
from poorwill.control.opening import opening_hours
from poorwill.control.presence import Presence, last_known
from poorwill.control.recorder import Recorder
from poorwill.control.shares import Shares
from poorwill.core.action import Adopt, Conclude, Decision, Skip, Start
from poorwill.core.allowance import WAKING_RULES, Woken
from poorwill.core.decide import decide
from poorwill.core.door import Asked
from poorwill.core.history import estimate
from poorwill.core.model import Condition, IntentKind, Now, Phase
from poorwill.core.scale import Scale
from poorwill.errors import StateError
from poorwill.store.journal import Entry, Kind

log = structlog.get_logger()

READ_AWAKE = 1.0
READ_DRAINING = 0.06
"""Seconds between two readings of the traffic counters."""

CLOCK_CHECK = 20.0
"""Seconds at most until a step of the wall clock is noticed: windows open and close by it."""

CLOCK_STEP = 0.5
"""Seconds by which the two clocks may drift apart before it counts as a step."""


class Reconciler:
    """Owns the facts of all services. ``forgotten(service)`` is called when a retired one is asleep."""

    def __init__(
        self, front: Front, recorder: Recorder, spawn: Spawn, forgotten: Callable[[str], None]
    ) -> None:
        self._recorder = recorder
        self._forgotten = forgotten
        self._facts: dict[str, Facts] = {}
        self._needs = Needs(self._facts)
        self._front = front = Indoors(front, self._at_work, self.nudge)
        self._observers = Observers(spawn, front, self._needs, self.nudge)
        self._applier = Applier(front, recorder, spawn, self._observers.look)
        self._busy = Busy(spawn, recorder, self._needs, self.nudge)
        self._debts, self._presence = Debts(recorder), Presence(recorder)
        self._shares = Shares(self._facts, front, self._needs, recorder, spawn, self.nudge)
        self._clocks: float | None = None
        self._spawn = spawn
        self._dirty: set[str] = set()
        recorder.changed = self._nudge_all
        self._decided = asyncio.Event()
        self._wake = asyncio.Event()

    @property
    def services(self) -> dict[str, Facts]:
        return self._facts

    @property
    def front(self) -> Front:
        """The gateway, and the stand-in for it where there is no door."""
        return self._front

    def add(self, facts: Facts) -> None:
        """Take charge of a service; its provider is looked at before anything is done."""
        if not facts.has_door:
            self._front.admit(facts.name)
        self._facts[facts.name] = facts
        self._observers.follow(facts)
        self.nudge(facts.name)

    def relatives(self, service: str) -> list[str]:
        """What it needs and what needs it."""
        facts = self._facts[service]
        return [other.name for other in (*self._needs.of(facts), *self._needs.dependents(facts))]

    def look(self, service: str) -> None:
        """Ask for a fresh look at a service's provider."""
        self._observers.look(service)

    def nudge(self, service: str) -> None:
        """Something about the service changed: decide anew, soon."""
        if service in self._facts:  # visitors ask before it is taken charge of, and after it is gone
            self._dirty.add(service)
            self._wake.set()

    def _nudge_all(self) -> None:
        for service in self._facts:
            self.nudge(service)

    async def decided(self) -> None:
        """Wait for the next decision about any service."""
        await self._decided.wait()

    async def run(self) -> None:
        while True:
            await self._until_due()
            now = clock.now()
            self._mind_clocks(now)
            for name in [*self._due(now)]:
                self._dirty.discard(name)
                if name in self._facts:
                    self._reconcile(self._facts[name], now)

    def _reconcile(self, facts: Facts, now: Now) -> None:
        before = facts.decision
        self._presence.mind(facts, now)
        facts.is_needed_by(self._needs.needed_by(facts), now.mono)
        facts.let_be = self._needs.lets_be(facts)
        seen = observe(facts, self._front, self._needs, now, self._recorder.trouble)
        seen = self._shares.judged(facts, seen, now)
        decision = decide(facts.rules, seen, now)
        if sum(one.condition is not Condition.ABSENT for one in seen.instances) >= decision.desired:
            facts.missing_since = None  # whatever is missing, it does not wait for it
        elif seen.missing and facts.missing_since is None:
            facts.missing_since = now.mono
        self._take(facts, decision, now)
        if seen.fresh and decision.rule in WAKING_RULES:
            self._count_wake(facts, decision, seen.asked, now)
        for action in decision.actions:
            self._applier.apply(facts, action, now)
        if any(isinstance(action, Conclude | Skip | Adopt) for action in decision.actions):
            self.nudge(facts.name)  # a conclusion is a new fact
        if not facts.unlooked:
            self._debts.mind(facts, decision.debt, now)
        if before is None or (before.phase, before.desired) != (decision.phase, decision.desired):
            self._tell_relatives(facts)
        if decision.phase in AT_REST and not decision.actions:
            self._at_rest(facts, now)
        else:
            facts.tunnel_closed = False
        self._observers.probe_if_needed(facts)
        self._busy.follow(facts, decision, now)
        self._decided.set()
        self._decided = asyncio.Event()

    def _count_wake(self, facts: Facts, decision: Decision, asked: Asked, now: Now) -> None:
        """Write down which request a wake is for, before the start that it brings about."""
        if not any(isinstance(action, Start) for action in decision.actions):
            return
        facts.woken = facts.allowance.plus(Woken(now.wall, asked.client))
        by = asked.program or "a request"
        detail = {"client": asked.client, "program": asked.program}
        self._recorder.note(now, Entry(Kind.WOKEN, facts.name, reason=f"woken by {by}", detail=detail))

    def _tell_relatives(self, facts: Facts) -> None:
        """What it needs, and what needs it, may have something to do now."""
        for relative in self.relatives(facts.name):
            self.nudge(relative)
            self._observers.look(relative)

    def _at_work(self, name: str) -> int:
        """How much of what has no door must not be cut: a job's run, what runs on a machine.

        A service that only others need works as long as they do, and they are stopped first.
        """
        facts = self._facts[name]
        if facts.tenancy is Tenancy.MACHINE:
            return self._needs.tenants_at_work(name)
        if facts.tenancy is Tenancy.SERVICE:
            return 0
        return sum(place.condition is not Condition.ABSENT for place in facts.places.values())

    def _mind_clocks(self, now: Now) -> None:
        """Windows follow the wall clock: when it was set, every decision is made anew."""
        offset = now.wall - now.mono
        if self._clocks is not None and abs(offset - self._clocks) > CLOCK_STEP:
            log.warning("the clock was set", by=round(offset - self._clocks, 1))
            self._dirty.update(self._facts)
        self._clocks = offset

    def _at_rest(self, facts: Facts, now: Now) -> None:
        """Nothing of the service runs: the moment for changes that must not touch a running instance."""
        if facts.tunnel is not None and not facts.tunnel_closed:
            facts.tunnel_closed = True
            self._spawn(facts.tunnel.close())
        if facts.retired and not any(self._needs.dependents(facts)):
            self._presence.leave(facts, now)
            self._observers.unfollow(facts.name)
            del self._facts[facts.name]
            self._dirty.discard(facts.name)
            self._front.dismiss(facts.name)
            for need in self._needs.of(facts):
                self.nudge(need.name)
            self._spawn(facts.provider.close())
            self._forgotten(facts.name)
        elif facts.successor is not None:
            self._succeed(facts)

    def _succeed(self, facts: Facts) -> None:
        """From now on it runs as the changed configuration says; tried again when that cannot be kept."""
        before = facts.provider
        try:
            facts.succeed()
        except StateError as error:
            log.error("it still runs as before", service=facts.name, error=str(error), hint=error.hint)
        else:
            self._spawn(before.close())

    def _take(self, facts: Facts, decision: Decision, now: Now) -> None:
        before, facts.decision = facts.told, decision
        if facts.unlooked:
            return  # nothing to say yet
        facts.told = decision
        if facts.looked_at is not None and (facts.scale is None or facts.scale.count != decision.desired):
            why = decision.scaled.reason if decision.scaled else ""
            facts.scale = Scale(decision.desired, now.mono, why)
        if before is None or (before.phase, before.reason) != (decision.phase, decision.reason):
            if before is None or before.phase is not decision.phase:
                facts.decided_since = now.wall
            log.info(str(decision.phase), service=facts.name, reason=decision.reason)
            known = last_known(facts, decision.phase, now)
            detail = {"phase": str(decision.phase), "desired": decision.desired, **known}
            self._recorder.note(now, Entry(Kind.PHASE, facts.name, "", decision.reason, detail))
        self._tell_gateway(facts, decision, now)

    def _tell_gateway(self, facts: Facts, decision: Decision, now: Now) -> None:
        if decision.phase in (Phase.WAKING, Phase.FAILED) and decision.desired:
            facts.waking_since = now.mono if facts.waking_since is None else facts.waking_since
        elif decision.phase not in (Phase.STOPPING, Phase.UNKNOWN):
            facts.waking_since = None
        self._front.show(
            facts.name,
            refusal=(facts.closed_to or "by_hand") if decision.rule == "sleep" else None,
            estimate=estimate(facts.wakes),
            waking_since=facts.waking_since,
            trouble=facts.failures.count > 0,
            entrance=decision.entrance,
            hours=None if decision.desired else opening_hours(facts, decision.rule, now),
        )
        rests = not decision.desired and decision.phase in (*AT_REST, Phase.STOPPING)
        allowance = facts.allowance if rests and facts.allowance.span else None
        self._front.allow(facts.name, allowance, known=decision.phase is not Phase.UNKNOWN)
        calm = min(READ_AWAKE, facts.rules.idle_after / 4)
        at_work = self._front.traffic(facts.name).busy or decision.hold.why
        # Waking is also what a sleep that was called off goes through: what called it off must be remembered.
        pace = {
            Phase.WAKING: calm,
            Phase.AWAKE: calm,
            Phase.UNKNOWN: calm,
            Phase.FAILED: calm,
            Phase.STOPPING: calm,
            Phase.LEFT: calm,
            Phase.DRAINING: calm if at_work else READ_DRAINING,
        }
        if not at_work and Phase.DRAINING in decision.phases.values():
            pace[decision.phase] = READ_DRAINING
        if any(place.intent and place.intent.kind is IntentKind.START for place in facts.places.values()):
            pace[Phase.STOPPING] = READ_DRAINING  # a start called off: what it let in must end first
        self._front.watch(facts.name, pace.get(decision.phase), facts.rules.keepalive_bytes)

    def _due(self, now: Now) -> Iterator[str]:
        for name, facts in self._facts.items():
            at = facts.decision.look_again_at if facts.decision else None
            if name in self._dirty or (at is not None and at <= now.mono):
                yield name

    async def _until_due(self) -> None:
        self._wake.clear()
        if self._dirty:
            await asyncio.sleep(0)
            return
        moments = [f.decision.look_again_at for f in self._facts.values() if f.decision]
        known = [at for at in moments if at is not None]
        pause = max(0.0, min(known) - clock.now().mono) if known else None
        if any(facts.rules.timetable or facts.plans or facts.hand for facts in self._facts.values()):
            pause = CLOCK_CHECK if pause is None else min(pause, CLOCK_CHECK)
        try:
            async with asyncio.timeout(pause):
                await self._wake.wait()
        except TimeoutError:
            return
