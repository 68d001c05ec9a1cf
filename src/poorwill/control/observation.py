"""The facts of one service as the core sees them at one moment."""

from __future__ import annotations

from dataclasses import replace

from poorwill.control.facts import Facts
from poorwill.control.front import Front
from poorwill.control.needs import Ground, Needs
from poorwill.control.place import Place
from poorwill.core.door import Traffic
from poorwill.core.hand import planned, spoken
from poorwill.core.history import estimate
from poorwill.core.model import Condition, Hand, HandKind, Instance, Intent, IntentKind, Now, Observation
from poorwill.core.owed import Owed
from poorwill.core.scale import Scale


def observe(facts: Facts, front: Front, needs: Needs, now: Now, trouble: str = "") -> Observation:
    """The service at this moment, with facts grown too old turned into ``unknown``.

    ``trouble`` is why the journal cannot be written: no start may be begun then.
    """
    waits = [f"nothing is started meanwhile: {trouble}"] if trouble else []
    if any(budget.binds and budget not in facts.standings for budget in facts.rules.budgets):
        waits.append("waits until it is known what was spent of the budget")
    ground, known = needs.ground(facts, now.mono), estimate(facts.wakes)
    return Observation(
        instances=tuple(_instance(facts, place, front, ground, now.mono) for place in facts.places.values()),
        gate=front.gate(facts.name),
        traffic=front.traffic(facts.name),
        asked=front.asked(facts.name),
        hand=_hand(facts, needs, now),
        plans=facts.plans,
        needed_by=facts.needed_by,
        needed_at=facts.needed_at,
        missing="; ".join(filter(None, (needs.missing(facts), *waits))),
        wake_time=known.p90 if known else facts.rules.start_timeout,
        last_run=facts.last_run,
        watched_from=facts.watched_from,
        work=facts.work,
        owed=Owed(facts.owing.cause, facts.owing.since, facts.owing.instance) if facts.owing else None,
        allowance=facts.allowance,
        at_rest=facts.at_rest,
        load=front.load(facts.name),
        scale=facts.scale or Scale(_there(facts), now.mono),
        standings=facts.bounds,
    )


def _there(facts: Facts) -> int:
    """How many were wanted when the control plane before this one ended, as far as anybody can see."""
    return sum(
        place.intent.kind is IntentKind.START if place.intent else place.condition is not Condition.ABSENT
        for place in facts.places.values()
    )


def _hand(facts: Facts, needs: Needs, now: Now) -> Hand | None:
    """A person's last word about it, or about the machine it runs on when that is to sleep."""
    if facts.closed_to and facts.there and facts.needed_by and not _forced(facts):
        return None  # who needs it ends its work first
    own = spoken(facts.hand, now)
    if own is not None and own.kind is HandKind.SLEEP:
        return facts.hand
    for need in needs.of(facts):
        hand = spoken(need.hand, now) or planned(need.plans, now)
        if need.name == facts.machine and hand is not None and hand.kind is HandKind.SLEEP:
            return replace(hand, by=f"with its machine, {hand.by}")
    return facts.hand


def _forced(facts: Facts) -> bool:
    return facts.hand is not None and facts.hand.force


def _instance(facts: Facts, place: Place, front: Front, ground: Ground | None, now: float) -> Instance:
    sighting = place.sighting
    condition, detail = place.condition, sighting.detail if sighting else ""
    if ground is not None:
        condition, detail = ground
    elif facts.looked_at is None:
        condition, detail = Condition.UNKNOWN, facts.look_error or "not looked at yet"
    elif now - facts.looked_at > facts.provider.stale_after:
        condition, detail = (
            Condition.UNKNOWN,
            facts.look_error or "the provider has not answered for too long",
        )
    elif _lags(facts, place, now):
        condition, detail = Condition.STOPPING, "it was stopped, and that does not show everywhere yet"
    seen_itself = ground is None and condition is place.condition
    return Instance(
        id=place.id,
        condition=condition,
        intent=_intent(facts, place, condition, ground),
        ready=place.ready and seen_itself,
        ready_since=place.ready_since if place.ready else None,
        seen_since=place.seen_since if seen_itself else None,
        detail=detail,
        probe_error=place.probe_error,
        outcome=place.outcome,
        outcome_at=place.outcome_at,
        exit_code=sighting.exit_code if sighting and seen_itself else None,
        due=place.due,
        foreign=seen_itself and place.foreign and facts.let_be,
        failures=place.failures,
        member=front.member(facts.name, place.id),
        traffic=front.instance_traffic(facts.name, place.id) if len(facts.places) > 1 else Traffic(),
    )


def _lags(facts: Facts, place: Place, now: float) -> bool:
    """Whether what is there can be the shadow of what was stopped a moment ago."""
    if place.intent is not None or place.gone_at is None or place.condition is Condition.ABSENT:
        return False
    return now < place.gone_at + facts.rules.settle


def _intent(facts: Facts, place: Place, condition: Condition, ground: Ground | None) -> Intent | None:
    intent = place.intent
    if intent is None:
        return None
    looked_at = facts.looked_at or 0.0
    if ground is None and looked_at < _telling(facts, place, intent):
        intent = replace(intent, calling=True)
    if intent.kind is IntentKind.START and intent.at < facts.watched_since:
        intent = replace(intent, at=facts.watched_since)  # a start is not late because nobody could look
    return intent


def _telling(facts: Facts, place: Place, intent: Intent) -> float:
    """When a look has to begin to tell what came of a call; what contradicts it had time to settle first."""
    absent = place.condition is Condition.ABSENT
    if intent.kind is IntentKind.START:
        # A restart forgot when the call returned; it may have been under way until this life began to look.
        over = intent.returned_at if intent.returned_at is not None else place.seen_since or 0.0
        return over + (facts.rules.settle if absent and not intent.permanent else 0.0)
    if intent.returned_at is None:
        return 0.0
    return intent.returned_at + (0.0 if absent or intent.error else facts.rules.settle)
