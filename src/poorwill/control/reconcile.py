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
from poorwill.control.facts import AT_REST, Facts, observe
from poorwill.control.front import Front
from poorwill.control.observer import Observers
from poorwill.control.recorder import Recorder
from poorwill.core.decide import decide
from poorwill.core.demand import in_force
from poorwill.core.history import estimate
from poorwill.core.model import Conclude, Decision, HandKind, IntentKind, Now, Phase
from poorwill.store.journal import Entry, Kind

log = structlog.get_logger()

READ_AWAKE = 1.0
READ_DRAINING = 0.06
"""Seconds between two readings of the traffic counters."""


class Reconciler:
    """Owns the facts of all services. ``forgotten(service)`` is called when a retired one is asleep."""

    def __init__(
        self, front: Front, recorder: Recorder, spawn: Spawn, forgotten: Callable[[str], None]
    ) -> None:
        self._front = front
        self._recorder = recorder
        self._forgotten = forgotten
        self._facts: dict[str, Facts] = {}
        self._observers = Observers(spawn, front, self.nudge)
        self._applier = Applier(front, recorder, spawn, self._observers.look)
        self._spawn = spawn
        self._dirty: set[str] = set()
        self._decided = asyncio.Event()
        self._wake = asyncio.Event()

    @property
    def services(self) -> dict[str, Facts]:
        return self._facts

    def add(self, facts: Facts) -> None:
        """Take charge of a service; its provider is looked at before anything is done."""
        self._facts[facts.name] = facts
        self._observers.follow(facts)
        self.nudge(facts.name)

    def look(self, service: str) -> None:
        """Ask for a fresh look at a service's provider."""
        self._observers.look(service)

    def nudge(self, service: str) -> None:
        """Something about the service changed: decide anew, soon."""
        if service in self._facts:  # visitors ask before it is taken charge of, and after it is gone
            self._dirty.add(service)
            self._wake.set()

    async def decided(self) -> None:
        """Wait for the next decision about any service."""
        await self._decided.wait()

    async def run(self) -> None:
        while True:
            await self._until_due()
            now = clock.now()
            for name in [*self._due(now)]:
                self._dirty.discard(name)
                if name in self._facts:
                    self._reconcile(self._facts[name], now)

    def _reconcile(self, facts: Facts, now: Now) -> None:
        decision = decide(facts.rules, observe(facts, self._front, now.mono), now)
        self._take(facts, decision, now)
        for action in decision.actions:
            self._applier.apply(facts, action, now)
        if any(isinstance(action, Conclude) for action in decision.actions):
            self.nudge(facts.name)  # a conclusion is a new fact
        if decision.phase in AT_REST and not decision.actions:
            self._at_rest(facts)
        self._observers.probe_if_needed(facts)
        self._decided.set()
        self._decided = asyncio.Event()

    def _at_rest(self, facts: Facts) -> None:
        """Nothing of the service runs: the moment for changes that must not touch a running instance."""
        if facts.retired:
            self._observers.unfollow(facts.name)
            del self._facts[facts.name]
            self._spawn(facts.provider.close())
            self._forgotten(facts.name)
        elif facts.successor is not None:
            self._spawn(facts.provider.close())
            facts.succeed()

    def _take(self, facts: Facts, decision: Decision, now: Now) -> None:
        before = facts.decision
        facts.decision = decision
        if facts.looked_at is None and not facts.look_error:
            return  # the first look is under way: nothing to say yet
        if before is None or (before.phase, before.reason) != (decision.phase, decision.reason):
            if before is None or before.phase is not decision.phase:
                facts.decided_since = now.wall
            log.info(str(decision.phase), service=facts.name, reason=decision.reason)
            detail = {"phase": str(decision.phase), "desired": decision.desired}
            self._recorder.note(now, Entry(Kind.PHASE, facts.name, "", decision.reason, detail))
        self._tell_gateway(facts, decision, now)

    def _tell_gateway(self, facts: Facts, decision: Decision, now: Now) -> None:
        if decision.phase in (Phase.WAKING, Phase.FAILED) and decision.desired:
            facts.waking_since = now.mono if facts.waking_since is None else facts.waking_since
        elif decision.phase not in (Phase.STOPPING, Phase.UNKNOWN):
            facts.waking_since = None
        hand = in_force(facts.hand, now)
        asleep_by_hand = hand is not None and hand.kind is HandKind.SLEEP
        self._front.show(
            facts.name,
            refusal=(facts.closed_to or "by_hand") if asleep_by_hand else None,
            estimate=estimate(facts.wakes),
            waking_since=facts.waking_since,
            trouble=facts.failures.count > 0,
        )
        calm = min(READ_AWAKE, facts.rules.idle_after / 4)
        # Waking is also what a sleep that was called off goes through: what called it off must be remembered.
        pace = {
            Phase.WAKING: calm,
            Phase.AWAKE: calm,
            Phase.UNKNOWN: calm,
            Phase.FAILED: calm,
            Phase.STOPPING: calm,
            Phase.DRAINING: calm if self._front.traffic(facts.name).busy else READ_DRAINING,
        }
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
        try:
            async with asyncio.timeout(pause):
                await self._wake.wait()
        except TimeoutError:
            return
