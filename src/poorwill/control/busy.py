"""Busy probes at work: asked when the answer matters, and what they said in the facts of the next look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from poorwill import clock
from poorwill.control.addresses import resolved
from poorwill.control.apply import Spawn
from poorwill.control.busy_probe import Subject
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
        needed = decision.desired and decision.rule != "busy"
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
            self._spawn(self._ask(facts, next(iter(facts.places.values()))))

    async def _ask(self, facts: Facts, place: Place) -> None:
        asked_at = clock.now().mono
        probe = facts.busy
        assert probe is not None

        async def targets() -> tuple[Target, ...]:
            return await resolved(facts, place, self._needs.values(facts), lambda _: None)

        says, words = Says.UNKNOWN, "busy probe: it was not asked to the end"
        try:
            says, words = await probe.ask(Subject(place.id, facts.provider, targets, bool(facts.machine)))
        except Exception as error:  # a provider may be a third party's: its mistakes must not end the loop
            log.exception("the busy probe broke", service=facts.name)
            words = f"busy probe fails: {type(error).__name__}: {error}"
        finally:
            self._answered(facts, says, words, asked_at)

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
