"""Decisions made true: idempotent, one call at a time for each instance, each with a deadline.

The intent of a start is on the disk before the provider is called; a stop waits only so long for that. What a
call brought shows in the facts of the next look; nothing here waits for a state to come about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import asdict, replace
from typing import Any

import structlog

from poorwill import clock
from poorwill.control.facts import Facts
from poorwill.control.front import Front
from poorwill.control.place import Place
from poorwill.control.recorder import Recorder
from poorwill.core.action import (
    Action,
    Adopt,
    CloseGate,
    Conclude,
    Cordon,
    GiveUp,
    Join,
    Leave,
    OpenGate,
    Skip,
    Start,
    Stop,
)
from poorwill.core.model import HandKind, Intent, IntentKind, Now, Outcome
from poorwill.errors import NoCapacity, Permanent, ProviderError, StateError, Temporary
from poorwill.providers.base import broken
from poorwill.store.journal import Entry, Kind

log = structlog.get_logger()

Spawn = Callable[[Coroutine[Any, Any, None]], object]

STOP_DEADLINE = 600.0
"""Seconds after which a stop call that does not return is given up and asked again."""

STOP_UNWRITTEN = 5.0
"""Seconds that a stop waits for its line in the journal. Then it is made without: a full disk must not cost
the money of a machine that nobody needs, and a stop that is forgotten is only made again.
"""

_OUTCOMES = {
    Outcome.READY: Kind.READY,
    Outcome.STOPPED: Kind.STOPPED,
    Outcome.FAILED: Kind.FAILED,
    Outcome.CRASHED: Kind.CRASHED,
    Outcome.DONE: Kind.DONE,
}


class Applier:
    """``spawn`` hands a coroutine to the program's task group; ``look(service)`` asks for a fresh look."""

    def __init__(self, front: Front, recorder: Recorder, spawn: Spawn, look: Callable[[str], None]) -> None:
        self._front = front
        self._recorder = recorder
        self._spawn = spawn
        self._look = look
        self._scopes: dict[str, asyncio.Timeout] = {}

    def apply(self, facts: Facts, action: Action, now: Now) -> None:
        """Begin an action. What it needs to be remembered is in ``facts`` when this returns."""
        match action:
            case Start():
                self._start(facts, facts.places[action.instance], action, now)
            case Stop():
                self._stop(facts, facts.places[action.instance], action.reason, now)
            case Conclude():
                self._conclude(facts, action, now)
            case Skip():
                facts.last_run = action.due
                detail = {"last_run": action.due}
                self._recorder.note(now, Entry(Kind.SKIPPED, facts.name, "", action.reason, detail))
            case Adopt():
                self._recorder.note(now, facts.adoption(action.instance, action.reason))
                facts.adopt(action.instance, now.mono)
            case GiveUp():
                self._give_up(facts, action.instance)
            case OpenGate():
                self._front.open(facts.name)
            case CloseGate():
                self._front.close(facts.name)
            case Join():
                self._front.join(facts.name, action.instance)
            case Cordon():
                self._front.cordon(facts.name, action.instance)
            case Leave():
                self._front.leave(facts.name, action.instance)

    def _start(self, facts: Facts, place: Place, action: Start, now: Now) -> None:
        attempts = place.intent.attempts if place.intent else 0
        place.intent = Intent(IntentKind.START, now.mono, action.reason, calling=True, attempts=attempts + 1)
        whose = place.ours, place.ended
        place.ready_life, place.ready_since, place.probe_error = None, None, ""
        place.ours, place.ended, place.lent, place.gone_at = True, None, False, None
        place.due, place.asked_at, facts.missing_since = action.due, facts.missing_since or now.mono, None
        due = {} if action.due is None else {"due": action.due}

        async def call() -> None:
            prepared = await facts.provider.prepare(place.id)
            detail = {"prepared": dict(prepared), **due}
            start = Entry(Kind.START, facts.name, place.id, action.reason, detail)
            try:
                await self._recorder.commit(now, start)
            except StateError:
                place.ours, place.ended = whose
                raise
            handle = await facts.provider.start(place.id, prepared)
            self._recorder.note(
                clock.now(), Entry(Kind.STARTED, facts.name, place.id, detail={"handle": dict(handle.data)})
            )

        self._spawn(self._call(facts, place, call, facts.rules.start_timeout))

    def _stop(self, facts: Facts, place: Place, reason: str, now: Now) -> None:
        again = place.intent if place.intent and place.intent.kind is IntentKind.STOP else None
        place.intent = Intent(
            IntentKind.STOP,
            again.at if again else now.mono,
            reason,
            calling=True,
            attempts=again.attempts + 1 if again else 1,
            written=again.written if again else False,
            error=again.error if again else "",
            permanent=again.permanent if again else False,
        )
        if place.ended is None and place.runs:  # while it starts, its life may not have a name of its own
            place.ended = place.life
        detail = {"life": place.ended} if place.ended else {}
        self._front.route(facts.name, place.id, None)

        async def call() -> None:
            if place.intent is not None and not place.intent.written:
                stop = Entry(Kind.STOP, facts.name, place.id, reason, detail)
                if not await self._recorder.record(now, stop, within=STOP_UNWRITTEN):
                    log.error("stopped before its line is in the journal", service=facts.name)
                place.intent = replace(place.intent, written=True)
            await facts.provider.stop(place.id)

        self._spawn(self._call(facts, place, call, STOP_DEADLINE))

    async def _call(
        self, facts: Facts, place: Place, call: Callable[[], Coroutine[Any, Any, None]], deadline: float
    ) -> None:
        """Run one provider call and put into the intent what came of it."""
        error: ProviderError | None = None
        try:
            async with asyncio.timeout(deadline) as scope:
                self._scopes[place.id] = scope
                await call()
        except ProviderError as raised:
            error = raised
        except StateError:
            self._withdraw(facts, place)
            return
        except TimeoutError:
            if place.id in self._scopes:  # else it was given up
                error = Temporary(f"the call did not return within {deadline:g} s")
        except Exception as raised:  # a provider may be a third party's: its mistakes must not end the loop
            if not isinstance(raised, OSError):
                log.exception("the provider broke", service=facts.name)
            error = broken(raised)
        finally:
            self._scopes.pop(place.id, None)
        now = clock.now()
        if place.intent is not None:
            place.intent = replace(
                place.intent,
                calling=False,
                returned_at=now.mono,
                error=str(error) if error else "",
                permanent=isinstance(error, Permanent),
                refused=isinstance(error, NoCapacity | Permanent),
                delay=error.delay if isinstance(error, Temporary) else None,
            )
        if error is not None:
            self._failed(facts, place, error, now)
        self._look(facts.name)

    def _withdraw(self, facts: Facts, place: Place) -> None:
        """A start that cannot be written down was not begun: it waits for the journal, and has not failed."""
        place.intent, facts.missing_since = None, place.asked_at
        self._look(facts.name)

    def _give_up(self, facts: Facts, instance: str) -> None:
        """Let the call end now, and be done before anything else is called."""
        scope = self._scopes.pop(instance, None)
        if scope is not None:
            log.warning("the stop does not return, but the instance is gone", service=facts.name)
            scope.reschedule(asyncio.get_running_loop().time())

    def _failed(self, facts: Facts, place: Place, error: ProviderError, now: Now) -> None:
        log.error("a provider call failed", service=facts.name, error=str(error), hint=error.hint)
        facts.failure_hint = error.hint
        kind = place.intent.kind if place.intent else ""
        detail = {"intent": str(kind), "hint": error.hint}
        self._recorder.note(now, Entry(Kind.CALL_FAILED, facts.name, place.id, str(error), detail))

    def _conclude(self, facts: Facts, action: Conclude, now: Now) -> None:
        place = facts.places[action.instance]
        intent = place.intent
        facts.conclude(action, now.mono)
        detail: dict[str, Any] = {}
        if place.ended:
            detail["life"] = place.ended
        match action.outcome:
            case Outcome.READY:
                since = place.asked_at if place.asked_at is not None else intent.at if intent else now.mono
                seconds = now.mono - since
                facts.wakes.append(seconds)
                facts.failure_hint = ""
                detail = {"seconds": round(seconds, 3)}
            case Outcome.FAILED | Outcome.CRASHED:
                detail |= {"streak": place.failures.count, "delay": action.delay}
                if intent is not None and intent.refused:
                    detail["refused"] = True
                log.error("the service failed", service=facts.name, reason=action.reason)
            case Outcome.DONE:
                ran = now.mono - place.ready_since if place.ready_since is not None else None
                detail |= {"exit_code": action.exit_code, "last_run": facts.last_run, "seconds": ran}
                self._give_back(facts, now)
        entry = Entry(_OUTCOMES[action.outcome], facts.name, place.id, action.reason, detail)
        self._recorder.note(now, entry)

    def _give_back(self, facts: Facts, now: Now) -> None:
        """A person's ``wake`` of a job, said or planned, asks for one run, and that is over."""
        spent = {plan for plan in facts.plans if plan.kind is HandKind.WAKE and plan.start <= now.wall}
        woken = facts.hand is not None and facts.hand.kind is HandKind.WAKE
        if woken:
            facts.hand = None
            self._recorder.note(now, Entry(Kind.AUTO, facts.name, reason="its run is over"))
        if spent or (woken and facts.plans):  # AUTO takes plans back as well
            facts.plans = tuple(plan for plan in facts.plans if plan not in spent)
            detail = {"plans": [asdict(plan) for plan in facts.plans]}
            self._recorder.note(now, Entry(Kind.PLAN, facts.name, reason="its run is over", detail=detail))
