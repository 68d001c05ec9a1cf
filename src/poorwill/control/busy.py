"""Busy probes at work: asked when the answer matters, and what they said in the facts of the next look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from poorwill import clock
from poorwill.control.addresses import resolved
from poorwill.control.apply import Spawn
from poorwill.control.busy_probe import BusyProbe, Subject
from poorwill.control.facts import Facts
from poorwill.control.needs import Needs
from poorwill.control.place import Place
from poorwill.control.recorder import Recorder
from poorwill.core.action import Decision
from poorwill.core.model import Now, Phase
from poorwill.core.target import Target
from poorwill.core.work import Answer, Says, Work
from poorwill.store.journal import Entry, Kind

log = structlog.get_logger()


_STRONGEST = (Says.BUSY, Says.UNKNOWN, Says.FREE)
"""Of the answers of several instances the first of these counts."""


class Busy:
    """``nudge(service)`` is called when an answer came."""

    def __init__(self, spawn: Spawn, recorder: Recorder, needs: Needs, nudge: Callable[[str], None]) -> None:
        self._spawn = spawn
        self._recorder = recorder
        self._needs = needs
        self._nudge = nudge

    def follow(self, facts: Facts, decision: Decision, now: Now) -> None:
        """Remember since when the sleep waits, and ask what the decision wants to know."""
        hold, work = decision.hold, facts.work
        needed = decision.desired and decision.rule != "busy" and not (hold.why or hold.overruled)
        if needed or decision.phase in (Phase.ASLEEP, Phase.FAILED, Phase.STOPPING):
            facts.work = Work(asking=work.asking)
            return
        if hold.overruled and facts.overruled != hold.overruled:
            log.warning("the sleep waits no longer", service=facts.name, why=hold.overruled)
            self._recorder.note(now, Entry(Kind.BUSY, facts.name, reason=hold.overruled))
        facts.overruled = hold.overruled
        if hold.why and work.held_since is None:
            facts.work = work = replace(work, held_since=now.mono)
        if hold.ask and facts.busy is not None:
            facts.work = replace(work, asking=True)
            self._spawn(self._ask(facts, _concerned(facts, decision)))

    async def _ask(self, facts: Facts, places: Sequence[Place]) -> None:
        """Ask at each of these; one that works is enough, and so is one that cannot tell."""
        asked_at = clock.now().mono
        probe = facts.busy
        assert probe is not None

        says, words = Says.FREE, ""
        try:
            for place in places:
                said, why = await self._asked(facts, probe, place)
                if not words or _STRONGEST.index(said) < _STRONGEST.index(says):
                    says, words = said, why
        finally:
            if not words:
                says, words = Says.UNKNOWN, "busy probe: it was not asked to the end"
            self._answered(facts, says, words, asked_at)

    async def _asked(self, facts: Facts, probe: BusyProbe, place: Place) -> tuple[Says, str]:
        async def targets() -> tuple[Target, ...]:
            return await resolved(facts, place, self._needs.values(facts), lambda _: None)

        try:
            return await probe.ask(Subject(place.id, facts.provider, targets, bool(facts.machine)))
        except Exception as error:  # a provider may be a third party's: its mistakes must not end the loop
            log.exception("the busy probe broke", service=facts.name)
            return Says.UNKNOWN, f"busy probe fails: {type(error).__name__}: {error}"

    def _answered(self, facts: Facts, says: Says, words: str, asked_at: float) -> None:
        """In a row of answers of one kind the first one's words stay: they are a reason, not a curve."""
        now, before = clock.now(), facts.work.answer
        same = before is not None and before.says is says
        since = before.since if before is not None and same else now.mono
        kept = before.words if before is not None and same else words
        facts.work = replace(facts.work, answer=Answer(says, kept, asked_at, now.mono, since), asking=False)
        facts.busy_said = words
        if says is Says.UNKNOWN and not same:
            log.error("nobody knows whether it is at work", service=facts.name, why=words)
            self._recorder.note(now, Entry(Kind.BUSY, facts.name, reason=words))
        self._nudge(facts.name)


def _concerned(facts: Facts, decision: Decision) -> list[Place]:
    """Who is asked: those that run, and of several those only that are to go while others serve on."""
    running = [place for place in facts.places.values() if place.runs]
    going = [place for place in running if decision.phases.get(place.id) is Phase.DRAINING]
    return going if going and decision.desired else running
