"""The figures of one service in a month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from poorwill.accounts.awake import Awake, awake
from poorwill.accounts.heat import Heat, heat, whole_hours
from poorwill.accounts.record import Record
from poorwill.core.bill import Line
from poorwill.core.debt import SLOW_FOR, STOP_FAILED
from poorwill.core.money import by_currency
from poorwill.core.spans import Span, clip, minus, total, union
from poorwill.core.stretch import Stretch
from poorwill.store.event import Event, Kind

LONGEST = 3
"""How many of the longest idle times are named."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """``kind`` is ``failed``, ``crashed`` or ``debt``, which lasted for ``seconds``; None: it goes on."""

    kind: str
    at: float
    reason: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """``waited`` requests had to wait for a start, ``seconds`` altogether, ``longest`` at the longest."""

    waited: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    gave_up: int = 0
    refused: int = 0

    @property
    def mean(self) -> float:
        return self.seconds / self.waited if self.waited else 0.0


@dataclass(frozen=True, slots=True)
class Visits:
    """What is known of those who came; in seconds. ``used`` is when somebody did something, ``empty`` how
    long an instance could be used and nobody did. ``empty_hours`` counts whole hours of the clock of that,
    ``idle`` are the longest times of it without a break.
    """

    requests: int
    used: float
    empty: float
    empty_hours: int
    waiting: Waiting
    idle: tuple[Span, ...]
    heat: Heat


@dataclass(frozen=True, slots=True)
class Figures:
    """``there`` is of all its instances together, in seconds, ``up`` the part of it in which they could be
    used, ``switching`` their coming and going. ``amounts`` are by currency, without those that nobody knows.
    ``before`` and ``before_amounts`` are those of the month before, None where nothing is known of it.
    ``cold`` of its ``starts`` were for a request. ``visits`` is None for what nobody visits, and where
    nothing was written down about visitors.
    """

    name: str
    kind: str
    there: float
    amounts: Mapping[str, Decimal]
    typical: bool
    unconfirmed: float
    before: float | None
    before_amounts: Mapping[str, Decimal]
    starts: int
    cold: int
    up: float
    switching: float
    troubles: tuple[Trouble, ...]
    visits: Visits | None


def figures(record: Record, name: str) -> Figures:
    lines = [one for one in record.lines if one.name == name]
    before = [one for one in record.before if one.name == name]
    events = [one for one in record.events if one.service == name]
    inside = [one for one in events if record.period.start <= one.at < record.until]
    here = awake([life for life in record.lives if life.payer == name], events, record.since, record.until)
    visited = name in record.services and record.use_from is not None
    return Figures(
        name=name,
        kind=lines[0].kind if lines else "service",
        there=sum(one.seconds for one in lines),
        amounts=sums(lines),
        typical=any(one.typical for one in lines),
        unconfirmed=sum(one.unconfirmed for one in lines),
        before=sum(one.seconds for one in before) if before else None,
        before_amounts=sums(before),
        starts=sum(one.starts for one in lines),
        cold=sum(one.kind is Kind.WOKEN for one in inside),
        up=here.up,
        switching=here.switching,
        troubles=tuple(_troubles(inside, events)),
        visits=_visits(record, name, here) if visited else None,
    )


def _visits(record: Record, name: str, here: Awake) -> Visits:
    stretches = [one for one in record.stretches if one.service == name]
    since, until = max(record.since, record.use_from or record.since), record.until
    inside = [one for one in stretches if since <= one.start < until]
    used = clip(union((one.start, one.end) for one in stretches), since, until)
    known = minus(used, record.gaps)
    alone = minus(clip(here.spans, since, until), [*used, *record.gaps])
    return Visits(
        requests=sum(one.requests for one in inside),
        used=total(used),
        empty=sum(total(minus(clip([life], since, until), [*used, *record.gaps])) for life in here.lives),
        empty_hours=len(whole_hours(alone, since, until, record.period.zone)),
        waiting=waiting(inside),
        idle=tuple(sorted(alone, key=lambda span: span[0] - span[1])[:LONGEST]),
        heat=heat(known, alone, since, until, record.period.zone, record.gaps),
    )


def sums(lines: Iterable[Line]) -> dict[str, Decimal]:
    """What they cost, by currency; a line without a known price adds nothing."""
    return by_currency((one.currency, one.amount) for one in lines)


def waiting(stretches: Sequence[Stretch]) -> Waiting:
    return Waiting(
        sum(one.waited for one in stretches),
        sum(one.wait_seconds for one in stretches),
        max((one.longest_wait for one in stretches), default=0.0),
        sum(one.gave_up for one in stretches),
        sum(one.refused for one in stretches),
    )


def _troubles(inside: Sequence[Event], known: Sequence[Event]) -> list[Trouble]:
    """What was over soon and had no error is none: a stop takes its time."""
    found = []
    for one in inside:
        if one.kind in (Kind.FAILED, Kind.CRASHED):
            found.append(Trouble(one.kind.value, one.at, one.reason))
        elif one.kind is Kind.DEBT:
            settled = (
                float(other.detail.get("seconds", other.at - one.at))
                for other in known
                if other.kind is Kind.SETTLED and other.instance == one.instance and other.id > one.id
            )
            seconds = next(settled, None)
            if seconds is None or seconds >= SLOW_FOR or one.reason.startswith(STOP_FAILED):
                found.append(Trouble("debt", one.at, one.reason, seconds))
    return found
