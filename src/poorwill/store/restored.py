"""What a restart needs to know, worked out from the few events that still matter.

``queries`` finds those events; the rules of what is still open are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from poorwill.store.event import Event, Json, Kind

Latest = Mapping[Kind, Event]
"""The newest event of each kind of one instance."""

_CLOSES = {
    Kind.START: (Kind.READY, Kind.FAILED, Kind.CRASHED, Kind.STOPPED, Kind.DONE),
    Kind.STOP: (Kind.STOPPED, Kind.CRASHED, Kind.DONE),
}


_ENDS = (Kind.STOP, Kind.STOPPED, Kind.CRASHED, Kind.DONE)
"""What ends a life, or is to end it."""


@dataclass(frozen=True, slots=True)
class RestoredInstance:
    """One instance as the journal left it.

    ``intent`` is the last START or STOP while it is open: a START until READY, FAILED, CRASHED, STOPPED,
    DONE or a STOP; a STOP until STOPPED, CRASHED, DONE or a START. ``start`` and ``started`` are the last
    START and the STARTED that followed it, until STOPPED. ``outcome`` is the last word on how it went: a
    STOPPED that only cleared away a failed start leaves FAILED standing (as in ``core.lifecycle.concluded``);
    ADOPT is such a word, too, for something that ran. ``ours`` says that there was a START or an ADOPT,
    ``ended`` which life of it was stopped or ended after that (empty: nobody knows its name). ``there`` is
    the last THERE when no GONE followed it, ``gone`` the last GONE.
    """

    intent: Event | None = None
    start: Event | None = None
    started: Event | None = None
    outcome: Event | None = None
    ours: bool = False
    ended: str | None = None
    there: Event | None = None
    gone: Event | None = None

    @property
    def prepared(self) -> Mapping[str, Json]:
        """What the provider chose before the last start."""
        return self.start.detail.get("prepared") or {} if self.start else {}

    @property
    def due(self) -> float | None:
        """The hour (seconds since the epoch) of the run that the last start was for."""
        due = self.start.detail.get("due") if self.start else None
        return float(due) if isinstance(due, int | float) else None

    @property
    def handle(self) -> Mapping[str, Json] | None:
        """The data of the handle that the last start gave; None when that call never came back."""
        return self.started.detail.get("handle") if self.started else None


@dataclass(frozen=True, slots=True)
class Restored:
    """One service as the journal left it.

    ``hand`` is the last WAKE, SLEEP or AUTO, ``plans`` the last PLAN when no AUTO followed it. ``run`` is
    the last DONE or SKIPPED of a job; ``first`` the first event of all, ``woken`` the newest WOKEN, oldest
    first. ``wakes`` are the seconds of the last 50 READY, oldest first. ``streak`` is the number of failures
    in a row as ``failure``, the last of them, carries it; 0 and None once an instance has been stopped that
    had not failed to start. ``debt`` is the last DEBT that is not SETTLED, ``told`` says whether an ALERT
    followed it. ``last`` is the newest event of the whole journal. ``lost`` is the PHASE since which nobody
    could tell what runs, however often that was written again; None when somebody can.
    """

    instances: Mapping[str, RestoredInstance] = field(default_factory=dict)
    hand: Event | None = None
    wakes: tuple[float, ...] = ()
    streak: int = 0
    failure: Event | None = None
    last_phase: Event | None = None
    debt: Event | None = None
    told: bool = False
    plans: Event | None = None
    run: Event | None = None
    first: Event | None = None
    woken: tuple[Event, ...] = ()
    last: Event | None = None
    lost: Event | None = None


def newest(latest: Latest, *kinds: Kind) -> Event | None:
    """The newest event of any of these kinds."""
    found = [latest[kind] for kind in kinds if kind in latest]
    return max(found, key=lambda event: event.id, default=None)


def instance_of(latest: Latest) -> RestoredInstance:
    start, started = latest.get(Kind.START), latest.get(Kind.STARTED)
    stopped = latest.get(Kind.STOPPED)
    alive = newest(latest, Kind.READY, Kind.FAILED, Kind.CRASHED, Kind.DONE, Kind.ADOPT)
    claim = newest(latest, Kind.START, Kind.ADOPT)
    if start is None or after(stopped, start):
        start = None
    if start is None or not after(started, start):
        started = None
    intent = newest(latest, Kind.START, Kind.STOP)
    if intent is not None and after(newest(latest, *_CLOSES[intent.kind]), intent):
        intent = None
    outcome = newest(latest, Kind.READY, Kind.STOPPED, Kind.FAILED, Kind.CRASHED, Kind.DONE, Kind.ADOPT)
    if alive is not None and alive.kind is Kind.FAILED:
        outcome = alive
    there, gone = latest.get(Kind.THERE), latest.get(Kind.GONE)
    if there is not None and after(gone, there):
        there = None
    ours, ended = claim is not None, _ended(latest, claim)
    return RestoredInstance(intent, start, started, outcome, ours, ended, there, gone)


def _ended(latest: Latest, claim: Event | None) -> str | None:
    """Which life it was that began with this claim; None while it goes on."""
    ends = [latest[kind] for kind in _ENDS if kind in latest and claim and latest[kind].id > claim.id]
    lives = [
        each.detail["life"] for each in sorted(ends, key=lambda each: each.id) if each.detail.get("life")
    ]
    over = any(each.kind is not Kind.STOP for each in ends)
    return lives[0] if lives else "" if over else None


def streak_of(failure: Event) -> int:
    streak = failure.detail.get("streak")
    return streak if isinstance(streak, int) and streak > 0 else 1


def seconds_of(ready: Event) -> float | None:
    """How long the wake took that ended in ``ready``; None when it does not say."""
    seconds = ready.detail.get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else None


def after(event: Event | None, other: Event) -> bool:
    return event is not None and event.id > other.id
