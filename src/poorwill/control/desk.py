"""Where people come: what they may ask (status, why) and say (wake, sleep, auto)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from poorwill import clock
from poorwill.control.facts import Facts, Place
from poorwill.control.front import Front
from poorwill.control.reconcile import Reconciler
from poorwill.control.recorder import Recorder
from poorwill.core.history import estimate
from poorwill.core.model import Hand, HandKind, Now
from poorwill.errors import BadInput
from poorwill.store.journal import Entry, Kind

Json = dict[str, Any]

_KINDS = {HandKind.WAKE: Kind.WAKE, HandKind.SLEEP: Kind.SLEEP}


class Desk:
    def __init__(self, reconciler: Reconciler, front: Front, recorder: Recorder) -> None:
        self._reconciler = reconciler
        self._front = front
        self._recorder = recorder

    def status(self) -> list[Json]:
        """One object for each service, by name."""
        now = clock.now()
        services = self._reconciler.services
        return [self._row(services[name], now) for name in sorted(services)]

    def why(self, name: str) -> Json:
        """The same for one service, with the facts behind the decision. BadInput for an unknown name."""
        facts, now = self._find(name), clock.now()
        traffic, asked, gate = self._front.traffic(name), self._front.asked(name), self._front.gate(name)
        known = estimate(facts.wakes)
        return {
            **self._row(facts, now),
            "gate": str(gate.state),
            "traffic": {
                "active": traffic.active,
                "busy": traffic.busy,
                "last_activity": _stamp(traffic.last_activity, now),
            },
            "asked": {"waiting": asked.waiting, "last": _stamp(asked.last_at, now)},
            "hand": _hand(facts.hand, now),
            "failures": {
                "in_a_row": facts.failures.count,
                "last": facts.failures.reason,
                "hint": facts.failure_hint,
            },
            "wakes": known and {"median": known.median, "p90": known.p90, "count": known.count},
            "idle_after": facts.rules.idle_after,
        }

    async def wake(self, name: str, seconds: float | None, by: str) -> Json:
        """Keep a service awake for so many seconds, or until it is given back."""
        return await self._say(name, HandKind.WAKE, seconds, by)

    async def sleep(self, name: str, by: str) -> Json:
        """Put a service to sleep until it is given back; work in flight is waited for."""
        return await self._say(name, HandKind.SLEEP, None, by)

    async def auto(self, name: str, by: str) -> Json:
        """Take back what a person said."""
        facts, now = self._find_staying(name), clock.now()
        await self._recorder.commit(now, Entry(Kind.AUTO, name, reason=by))
        self._find_staying(name)
        facts.hand = None
        self._reconciler.nudge(name)
        return self._row(facts, now)

    async def log_tail(self, name: str, lines: int) -> list[str]:
        """The last lines the service printed."""
        facts = self._find(name)
        place = next(iter(facts.places))
        return await facts.provider.log_tail(place, lines)

    async def _say(self, name: str, kind: HandKind, seconds: float | None, by: str) -> Json:
        facts, now = self._find_staying(name), clock.now()
        detail = {"until": None if seconds is None else now.wall + seconds}
        await self._recorder.commit(now, Entry(_KINDS[kind], name, reason=by, detail=detail))
        self._find_staying(name)  # it may have been removed while the disk was busy
        until = None if seconds is None else now.mono + seconds
        facts.hand = Hand(kind, now.mono, until, by)
        self._reconciler.nudge(name)
        return self._row(facts, now)

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

    def _row(self, facts: Facts, now: Now) -> Json:
        decision = facts.decision
        return {
            "name": facts.name,
            "phase": str(decision.phase) if decision else "unknown",
            "instances": [_instance(place, now) for place in facts.places.values()],
            "desired": decision.desired if decision else 0,
            "reason": decision.reason if decision else "not looked at yet",
            "since": _iso(facts.decided_since) if decision else None,
            "next_change": _stamp(decision.look_again_at, now) if decision else None,
            "waiting": self._front.asked(facts.name).waiting,
            "checks": self._front.checks(facts.name),
        }


def _hand(hand: Hand | None, now: Now) -> Json | None:
    if hand is None:
        return None
    return {"kind": str(hand.kind), "by": hand.by, "until": _stamp(hand.until, now)}


def _instance(place: Place, now: Now) -> Json:
    return {
        "id": place.id,
        "condition": str(place.condition),
        "ready": place.ready,
        "since": _stamp(place.seen_since, now),
        "address": place.sighting.address if place.sighting else None,
        "detail": place.sighting.detail if place.sighting else "",
        "probe": place.probe_error,
    }


def _stamp(mono: float | None, now: Now) -> str | None:
    """A monotonic moment as a UTC time for people and programs."""
    return None if mono is None else _iso(now.wall + (mono - now.mono))


def _iso(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
