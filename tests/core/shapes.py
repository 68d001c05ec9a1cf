"""Observations for tests: one said in few words, and every one that hypothesis can think of."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.core.standings import going_on

from poorwill.core.budget import AtLimit, Budget, Standing
from poorwill.core.door import Asked, Gate, GateState, Traffic
from poorwill.core.model import (
    Condition,
    Failures,
    Hand,
    HandKind,
    Instance,
    Intent,
    IntentKind,
    Now,
    Observation,
    Outcome,
    Service,
)
from poorwill.core.period import Per, Period
from poorwill.core.work import Answer, BusyRule, Says, Work

NOW = Now(wall=1_800_000_000.0, mono=1_000.0, boot="boot-1")
PLACE = "notes-1"
LONG_AGO = 0.0


def service(**rules: Any) -> Service:
    return Service("notes", **{"idle_after": 60.0, "drain": 10.0, "start_timeout": 40.0, **rules})


def a_hand(kind: str, **said: Any) -> Hand:
    return Hand(HandKind(kind), **{"at": NOW.mono - 1, **said})


def instance(**facts: Any) -> Instance:
    facts["condition"] = Condition(facts.get("condition", "absent"))
    return Instance(PLACE, **facts)


_OWN = {name.name for name in fields(Observation)} - {"instances", "gate"}


def seen(gate: str = "closed", gate_since: float = LONG_AGO, **facts: Any) -> Observation:
    """An observation; what is not one of its own fields is a fact of its only instance."""
    own = {name: facts.pop(name) for name in _OWN if name in facts}
    return Observation((instance(**facts),), Gate(GateState(gate), gate_since), **own)


# --- everything that can be observed ----------------------------------------------------------------

moments = st.floats(0, 2_000) | st.sampled_from([0.0, 940.0, 960.0, 990.0, 999.95, 1_000.0, 1_060.0])
maybe = st.none() | moments
words = st.sampled_from(["", "because"])

intents = st.builds(
    Intent,
    kind=st.sampled_from(IntentKind),
    at=moments,
    reason=words,
    calling=st.booleans(),
    attempts=st.integers(0, 40) | st.just(10_000),
    returned_at=maybe,
    error=words,
    permanent=st.booleans(),
)
instances = st.builds(
    Instance,
    id=st.just(PLACE),
    condition=st.sampled_from(Condition),
    intent=st.none() | intents,
    ready=st.booleans(),
    ready_since=maybe,
    seen_since=maybe,
    detail=words,
    probe_error=words,
    outcome=st.none() | st.sampled_from(Outcome),
    outcome_at=maybe,
    failures=st.builds(Failures, st.integers(0, 5) | st.just(10_000), moments, words),
)
standings = st.lists(
    st.builds(
        lambda what, limit, used, pace, ends: Standing(
            Budget("notes", Per.DAY, "UTC", Decimal(limit), at_limit=what),
            Period(Per.DAY, date(2027, 1, 15), NOW.wall - 3_600, NOW.wall + ends, "UTC"),
            Decimal(used),
            NOW.mono - 1,
            going_on(pace),
        ),
        st.sampled_from(AtLimit),
        st.integers(1, 3),
        st.integers(0, 3),
        st.sampled_from([0, 1, 3_600]),
        st.sampled_from([-1, 1, 3_600]),
    ),
    max_size=2,
).map(tuple)
observations = st.builds(
    Observation,
    instances=st.tuples(instances),
    gate=st.builds(Gate, st.sampled_from(GateState), moments),
    traffic=st.builds(
        Traffic,
        active=st.integers(0, 3),
        busy=st.integers(0, 3),
        last_activity=maybe,
        quiet_since=maybe,
        read_at=maybe,
        previous_at=maybe,
    ),
    asked=st.builds(Asked, waiting=st.integers(0, 5_000), last_at=maybe),
    hand=st.none()
    | st.builds(Hand, st.sampled_from(HandKind), moments, maybe, st.just("by hand"), st.booleans()),
    work=st.builds(
        Work,
        answer=st.none()
        | st.builds(Answer, st.sampled_from(Says), st.just("busy probe: 3 jobs"), moments, moments, moments),
        asking=st.booleans(),
        held_since=maybe,
    ),
    standings=standings,
)
services = st.builds(
    Service,
    name=st.just("notes"),
    idle_after=st.sampled_from([0.0, 1.0, 60.0, 86_400.0]),
    drain=st.sampled_from([0.0, 10.0, 3_600.0]),
    start_timeout=st.sampled_from([0.1, 40.0, 1_800.0]),
    settle=st.sampled_from([0.0, 10.0]),
    busy=st.none() | st.builds(BusyRule, *[st.sampled_from([0.0, 1.0, 30.0, 600.0])] * 3),
)
