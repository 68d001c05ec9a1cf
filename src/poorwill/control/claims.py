"""What a service claims of the GPUs it shares, as its facts are at this moment."""

from __future__ import annotations

from math import inf

from poorwill.control.facts import Facts
from poorwill.control.front import Front
from poorwill.control.needs import Needs
from poorwill.control.observation import observe
from poorwill.control.recorder import Recorder
from poorwill.core import demand, fleet
from poorwill.core.door import GateState
from poorwill.core.hand import planned, spoken
from poorwill.core.lifecycle import retry_at
from poorwill.core.model import Condition, Instance, Now, Observation, Outcome
from poorwill.core.share import Claim, Strength

_STRENGTHS = {"wake": Strength.PERSON, **dict.fromkeys(("run", "window", "least"), Strength.HOURS)}
"""By the row of ``core.demand.ORDER`` that wants a service; what is not here is wanted by visitors."""

_UNASKED = ("wake", "window", "least")
"""Rows by which a service is awake whether anybody uses it or not."""


class Claims:
    """Looks at the facts of all services, which others own."""

    def __init__(self, front: Front, needs: Needs, recorder: Recorder) -> None:
        self._front = front
        self._needs = needs
        self._recorder = recorder

    def of(self, facts: Facts, waiting_since: float | None, now: Now) -> Claim:
        """The claim of a service that has a seat. What cannot start now claims nothing."""
        assert facts.seat is not None
        seen = observe(facts, self._front, self._needs, now, self._recorder.trouble)
        wish = demand.wanted(facts.rules, seen, now)
        held = fleet.here(seen)
        strength, said_at = self._strength(facts, wish.rule, now)
        ready = [at for one in seen.instances if (at := _awake_since(one)) is not None]
        asked = wish.rule not in _UNASKED or demand.in_use(facts.rules, seen, now)
        return Claim(
            service=facts.name,
            share=facts.seat.share,
            wanted=wish.desired if held or not _cannot_start(seen, now) else 0,
            held=held,
            strength=strength,
            said_at=said_at,
            asked=asked,
            failing=seen.failures.count > 0 and not held,
            waiting_since=waiting_since,
            awake_since=min(ready, default=None),
            movable=all(one.condition is not Condition.UNKNOWN and not one.foreign for one in seen.instances),
            going=bool(held and ready) and seen.gate.state is not GateState.OPEN,
            used_at=_used_at(facts, seen, wish.rule),
            reason=wish.reason,
            keeps=frozenset(self._needs.all_needs(facts) | self._needs.all_dependents(facts)),
        )

    def _strength(self, facts: Facts, rule: str, now: Now) -> tuple[Strength, float]:
        """How strongly it is wanted, and when a person spoke. What is needed is wanted as what needs it."""
        if rule == "wake":
            hand = spoken(facts.hand, now) or planned(facts.plans, now)
            return Strength.PERSON, hand.at if hand else 0.0
        if rule != "needed":
            return _STRENGTHS.get(rule, Strength.REQUESTS), 0.0
        wanted = [
            other for other in self._needs.dependents(facts) if other.decision and other.decision.desired
        ]
        found = [self._strength(other, other.decision.rule, now) for other in wanted if other.decision]
        return max(found, default=(Strength.REQUESTS, 0.0))


def _awake_since(instance: Instance) -> float | None:
    """When it got ready in this life; what the journal says of that outlives a restart."""
    if instance.outcome is Outcome.READY and instance.outcome_at is not None:
        return instance.outcome_at
    return instance.ready_since


def _cannot_start(seen: Observation, now: Now) -> bool:
    """It waits for something else than a GPU, or until it may be tried again."""
    return bool(seen.missing) or (seen.failures.count > 0 and now.mono < retry_at(seen.failures, seen.hand))


def _used_at(facts: Facts, seen: Observation, rule: str) -> float:
    if seen.traffic.busy or rule == "busy" or facts.rules.job:
        return inf
    return max(seen.traffic.last_activity or 0.0, seen.asked.last_at or 0.0)
