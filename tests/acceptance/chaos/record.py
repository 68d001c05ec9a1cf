"""What is known when the chaos is over: every request, what each service saw, the journal, the incidents.

All times are the host's monotonic clock, which visitors, services and the journal share and nobody sets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from poorwill.store.event import Event


class Answer(StrEnum):
    """What became of a request, as its visitor saw it."""

    RIGHT = "right"
    TOLD = "told"
    """503 with Retry-After."""
    AWAY = "away"
    """Nobody took the connection."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. ``detail`` says what was wrong with the answer, or which code came with it."""

    id: str
    kind: str
    service: str
    began: float
    ended: float
    answer: Answer = Answer.RIGHT
    detail: str = ""


USED_UP = "budget_used_up"
"""What a visitor is told of a service whose budget is."""


class Happened(StrEnum):
    """The kinds of incidents."""

    CONTROL_PLANE_KILLED = "control plane killed"
    ENVOY_KILLED = "envoy killed"
    CRASHED = "service killed"
    FAILING = "service fails by fate"
    ONE_FAILED = "one of several fails by fate"
    SLEPT = "put to sleep by hand"
    CLOCK = "clock set"


@dataclass(frozen=True, slots=True)
class Incident:
    """What fate did, from ``at`` until it was over. ``phase`` is what was seen of the service just before."""

    what: Happened
    at: float
    until: float
    service: str = ""
    phase: str = ""
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a service's diary: ``start``, ``two at once``, ``listen``, ``term``, ``end``, and of each
    request ``got``, ``whole`` (its body is there), ``done`` or ``broken``. ``instance`` is which of it wrote.
    """

    service: str
    pid: int
    at: float
    what: str
    id: str = ""
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor who stays with one instance was here again. ``before`` is the process that answered the last
    time, 0 for none, ``away`` how long ago that was in seconds.
    """

    service: str
    visitor: int
    at: float
    pid: int
    before: int = 0
    away: float = 0.0


@dataclass(frozen=True, slots=True)
class Life:
    """One process of a service, by its own word; killed ones end when fate killed them."""

    service: str
    pid: int
    start: float
    listen: float | None
    end: float | None
    term: float | None = None
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """``left`` names what still ran at the end. ``diaries`` are the services that keep one."""

    asked: tuple[Asked, ...] = ()
    lines: tuple[Line, ...] = ()
    events: tuple[Event, ...] = ()
    incidents: tuple[Incident, ...] = ()
    left: tuple[str, ...] = ()
    diaries: tuple[str, ...] = ()
    visits: tuple[Visit, ...] = ()

    def happened(self, *what: Happened, service: str | None = None) -> list[Incident]:
        return [
            one for one in self.incidents if one.what in what and (service is None or one.service == service)
        ]

    def lives(self, service: str) -> list[Life]:
        return list(_lives(self, service))


def overlap(began: float, ended: float, incident: Incident) -> bool:
    return incident.at <= ended and began <= incident.until


def _lives(record: Record, service: str) -> Iterator[Life]:
    mine = [line for line in record.lines if line.service == service]
    killed = {one.pid: one.at for one in record.happened(Happened.CRASHED, service=service)}
    for start in (line for line in mine if line.what == "start"):
        own = {line.what: line.at for line in mine if line.pid == start.pid and line.at >= start.at}
        end = own.get("end", killed.get(start.pid))
        yield Life(service, start.pid, start.at, own.get("listen"), end, own.get("term"), start.instance)
