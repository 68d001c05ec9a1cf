"""What is told about a service: one row for ``status``, and the facts behind the decision for ``why``."""

from __future__ import annotations

from typing import Any

from poorwill.control.budget_report import budgets_json
from poorwill.control.debts import hint
from poorwill.control.facts import Facts
from poorwill.control.front import Front
from poorwill.control.place import Place
from poorwill.control.scaling import scaled_json
from poorwill.control.stamp import iso, stamp
from poorwill.core.agenda import agenda
from poorwill.core.history import estimate
from poorwill.core.model import Condition, Hand, Now, Phase, Plan

Json = dict[str, Any]


def row(facts: Facts, front: Front, now: Now) -> Json:
    decision, table = facts.decision, facts.rules.timetable
    return {
        "name": facts.name,
        "kind": str(facts.tenancy),
        "phase": str(decision.phase) if decision else "unknown",
        "instances": [_instance(facts, place, front, now) for place in facts.places.values()],
        "desired": decision.desired if decision else 0,
        "reason": decision.reason if decision else "not looked at yet",
        "rule": decision.rule if decision else "unknown",
        "since": iso(facts.decided_since) if decision else None,
        "next_change": stamp(decision.look_again_at, now) if decision else None,
        "gate": str(front.gate(facts.name).state),
        "waiting": front.asked(facts.name).waiting,
        "checks": front.checks(facts.name),
        "hand_until": (_hand(facts.hand, now) or {}).get("until"),
        "plans": [_plan(plan) for plan in facts.plans if plan.stop > now.wall],
        "foreign": facts.foreign,
        "debt": _debt(facts, now),
        "budgets": budgets_json(facts, now),
        "on": facts.machine or None,
        "needs": list(facts.needs),
        **(agenda(table, now.wall) if table else {}),
    }


def details(facts: Facts, front: Front, now: Now) -> Json:
    traffic, asked = front.traffic(facts.name), front.asked(facts.name)
    known = estimate(facts.wakes)
    return {
        "traffic": {
            "active": traffic.active,
            "busy": traffic.busy,
            "last_activity": stamp(traffic.last_activity, now),
        },
        "asked": {"waiting": asked.waiting, "last": stamp(asked.last_at, now)},
        "hand": _hand(facts.hand, now),
        "needed_by": list(facts.needed_by),
        "failures": {
            "in_a_row": facts.failures.count,
            "last": facts.failures.reason,
            "hint": facts.failure_hint,
        },
        "wakes": known and {"median": known.median, "p90": known.p90, "count": known.count},
        "busy_probe": facts.busy_said or None,
        "idle_after": facts.rules.idle_after,
        "on_request": str(facts.rules.on_request),
        "wakes_by_request": _limit(facts, now),
        "gpu": _gpu(facts, now),
        "scale": _scale(facts, now),
    }


def _scale(facts: Facts, now: Now) -> Json | None:
    """What the load asks for, where anything does."""
    asked = facts.decision.scaled if facts.decision else None
    return None if asked is None else scaled_json(asked, now)


def _gpu(facts: Facts, now: Now) -> Json | None:
    """What it needs of which GPU, and what becomes of that."""
    if facts.seat is None:
        return None
    share, verdict = facts.seat.share, facts.verdict
    return {
        "cards": [
            {"name": card.name, "machine": card.machine or None, "memory": card.memory}
            for card in share.cards
        ],
        "memory": share.memory,
        "priority": share.priority,
        "min_awake": share.min_awake,
        "verdict": str(verdict.word) if verdict else None,
        "room": verdict.room if verdict else None,
        "why": verdict.why if verdict else "",
        "until": stamp(verdict.until, now) if verdict else None,
    }


def _limit(facts: Facts, now: Now) -> Json | None:
    rate, allowance = facts.rules.max_wakes, facts.allowance
    if rate is None:
        return None
    until = allowance.total_until(now.wall)
    return {
        "count": allowance.used(now.wall),
        "allowed": rate.count,
        "within": rate.seconds,
        "until": None if until is None else iso(until),
    }


def _debt(facts: Facts, now: Now) -> Json | None:
    """What costs money for nothing, and for how long it has."""
    owing = facts.owing
    if owing is None or not owing.counts:
        return None
    return {
        "cause": str(owing.cause),
        "since": stamp(owing.since, now),
        "seconds": round(now.mono - owing.since),
        "reason": owing.reason,
        "told": owing.told,
        "hint": hint(facts, owing),
    }


def _hand(hand: Hand | None, now: Now) -> Json | None:
    if hand is None:
        return None
    until = stamp(hand.until, now) or (None if hand.until_wall is None else iso(hand.until_wall))
    return {"kind": str(hand.kind), "by": hand.by, "until": until}


def _plan(plan: Plan) -> Json:
    return {"kind": str(plan.kind), "start": iso(plan.start), "stop": iso(plan.stop), "by": plan.by}


def _instance(facts: Facts, place: Place, front: Front, now: Now) -> Json:
    """``age`` is for how many seconds it has been there. ``served`` is None where there is but one place."""
    several = len(facts.places) > 1
    traffic = front.instance_traffic(facts.name, place.id) if several else front.traffic(facts.name)
    here = place.condition is not Condition.ABSENT
    phases = facts.decision.phases if facts.decision else {}
    return {
        "id": place.id,
        "phase": str(phases.get(place.id, Phase.UNKNOWN)),
        "condition": str(place.condition),
        "ready": place.ready,
        "in_flight": traffic.active + traffic.busy if here else 0,
        "age": round(now.mono - place.seen_since, 3) if here and place.seen_since is not None else None,
        "served": front.served(facts.name, place.id) if several else None,
        "since": stamp(place.seen_since, now),
        "address": place.sighting.address if place.sighting else None,
        "detail": place.sighting.detail if place.sighting else "",
        "exit_code": place.sighting.exit_code if place.sighting else None,
        "probe": place.probe_error,
    }
