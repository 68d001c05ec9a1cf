"""Where people come: what they may ask (status, why) and say (wake, sleep, auto)."""

from __future__ import annotations

from dataclasses import asdict

import structlog

from poorwill import clock
from poorwill.config.during import parse_during
from poorwill.control.facts import Facts, Tenancy
from poorwill.control.reconcile import Reconciler
from poorwill.control.recorder import Recorder
from poorwill.control.report import Json, details, row
from poorwill.core.model import Hand, HandKind, Now, Plan
from poorwill.errors import BadInput
from poorwill.store.journal import Entry, Kind

log = structlog.get_logger()

WRITTEN_WITHIN = 5.0
"""Seconds that a person waits for the disk."""

_KINDS = {HandKind.WAKE: Kind.WAKE, HandKind.SLEEP: Kind.SLEEP}


class Desk:
    def __init__(self, reconciler: Reconciler, recorder: Recorder) -> None:
        self._reconciler = reconciler
        self._recorder = recorder

    def status(self) -> list[Json]:
        """One object for each service, by name."""
        now = clock.now()
        services = self._reconciler.services
        return [row(services[name], self._reconciler.front, now) for name in sorted(services)]

    def why(self, name: str) -> Json:
        """The same for one service, with the facts behind the decision. BadInput for an unknown name."""
        facts, now = self._find(name), clock.now()
        front = self._reconciler.front
        return {**row(facts, front, now), **details(facts, front, now)}

    async def wake(self, name: str, seconds: float | None, by: str) -> Json:
        """Keep a service awake for so many seconds, or until it is given back."""
        return await self._say(name, HandKind.WAKE, seconds, by)

    async def sleep(self, name: str, by: str) -> Json:
        """Put a service to sleep until its next window or hour, else until it is given back; work in flight
        is waited for. What somebody else started is adopted: it was named.
        """
        if self._find(name).foreign:
            await self.adopt(name, by)
        return await self._say(name, HandKind.SLEEP, None, by)

    async def plan(self, name: str, kind: str, during: str, by: str) -> Json:
        """What a person wants for hours to come, such as ``wake`` during ``Saturday 10:00-14:00``."""
        facts, now = self._find_staying(name), clock.now()
        start, stop = parse_during(during, facts.zone, now.wall)
        plans = (*facts.plans, Plan(HandKind(kind), start, stop, by))
        plans = tuple(plan for plan in plans if plan.stop > now.wall)
        detail = {"plans": [asdict(plan) for plan in plans]}
        await self._write(now, Entry(Kind.PLAN, name, reason=by, detail=detail))
        self._find_staying(name).plans = plans
        self._reconciler.nudge(name)
        return row(facts, self._reconciler.front, now)

    async def auto(self, name: str, by: str) -> Json:
        """Take back what a person said and planned."""
        facts, now = self._find_staying(name), clock.now()
        await self._write(now, Entry(Kind.AUTO, name, reason=by))
        self._find_staying(name)
        facts.hand, facts.plans = None, ()
        self._reconciler.nudge(name)
        return row(facts, self._reconciler.front, now)

    async def adopt(self, name: str, by: str) -> Json:
        """Let Poorwill stop what somebody else started. It holds for this life of the instance."""
        facts, now = self._find_staying(name), clock.now()
        lives = {place.id: place.life for place in facts.places.values() if place.foreign}
        if not facts.foreign:
            why = "Poorwill started what runs" if facts.there else "nothing of it runs"
            raise BadInput(
                f"there is nothing of {name} to adopt: {why}", hint="`poorwill status` shows what runs"
            )
        await self._write(now, *(facts.adoption(instance, by) for instance in lives))
        for instance, life in lives.items():
            if facts.places[instance].life == life:  # the disk may have been busy for long
                facts.adopt(instance, now.mono)
        self._reconciler.nudge(name)
        return row(facts, self._reconciler.front, now)

    async def log_tail(self, name: str, lines: int) -> list[str]:
        """The last lines the service printed."""
        facts = self._find(name)
        place = next(iter(facts.places))
        return await facts.provider.log_tail(place, lines)

    async def _say(self, name: str, kind: HandKind, seconds: float | None, by: str) -> Json:
        facts, now = self._find_staying(name), clock.now()
        until_wall = _next_hour(facts, now) if kind is HandKind.SLEEP else None
        detail = {"until": None if seconds is None else now.wall + seconds, "until_wall": until_wall}
        await self._write(now, Entry(_KINDS[kind], name, reason=by, detail=detail))
        self._find_staying(name)  # it may have been removed while the disk was busy
        until = None if seconds is None else now.mono + seconds
        facts.hand = Hand(kind, now.mono, until, by, until_wall=until_wall)
        self._reconciler.nudge(name)
        for relative in self._reconciler.relatives(name):
            self._reconciler.nudge(relative)
        return row(facts, self._reconciler.front, now)

    async def _write(self, now: Now, *entries: Entry) -> None:
        """A person's word holds also while the disk is full, and is written down as soon as it can be."""
        if not await self._recorder.record(now, *entries, within=WRITTEN_WITHIN):
            kinds = ", ".join({str(entry.kind) for entry in entries})
            log.warning("not in the journal yet: a crash would forget it", kind=kinds)

    def _find(self, name: str) -> Facts:
        facts = self._reconciler.services.get(name)
        if facts is None:
            known = ", ".join(sorted(self._reconciler.services))
            raise BadInput(f"there is no service {name!r}", hint=f"the services are {known}")
        return facts

    def _find_staying(self, name: str) -> Facts:
        """One that is not being put to sleep for good: its last demand must stand."""
        facts = self._find(name)
        if facts.closed_to:
            why = "was removed from the configuration" if facts.retired else "goes to sleep with Poorwill"
            raise BadInput(f"{name} {why}", hint="`poorwill status` shows how far it is")
        return facts


def _next_hour(facts: Facts, now: Now) -> float | None:
    """When its timetable wants it next, in seconds since the epoch; a job waits until it is given back."""
    table = facts.rules.timetable
    if table is None or facts.tenancy is Tenancy.JOB:
        return None
    opening = table.hours(now.wall).next
    hours = [opening.start] if opening else []
    hours += [at for run in table.runs if (at := run.next_due(now.wall)) is not None]
    return min(hours, default=None)
