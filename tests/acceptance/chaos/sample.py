"""A short day on which all laws held, for showing that each law can fail."""

from __future__ import annotations

from dataclasses import replace

from tests.acceptance.chaos.record import Answer, Asked, Happened, Incident, Line, Record, Visit
from tests.acceptance.chaos.tenants import LOYAL, WIDE

from poorwill.store.event import Event, Kind


def lawful() -> Record:
    """One service alone, and the two that have several instances."""
    alone = _alone()
    return replace(
        alone,
        asked=(*alone.asked, Asked("post-8", "post", WIDE, 12.0, 12.6)),
        lines=(*alone.lines, *_several()),
        events=(*alone.events, *_told()),
        diaries=(*alone.diaries, WIDE, LOYAL),
        visits=(Visit(LOYAL, 1, 12.1, 31), Visit(LOYAL, 1, 12.4, 31, 31, 0.3)),
    )


def _several() -> tuple[Line, ...]:
    """Two lives side by side of each; one answers a request, and ends when that is over."""
    moments = [(10.0, "start"), (10.2, "listen"), (14.0, "term"), (14.1, "end")]
    around = (
        Line(name, pid, at + number, what, instance=f"{name}-{number}")
        for name, pid, number in _LIVES
        for at, what in moments
    )
    request = ((12.1, "got"), (12.1, "whole"), (12.6, "done"))
    return (*around, *(Line(WIDE, 21, at, what, "post-8", f"{WIDE}-1") for at, what in request))


def _told() -> tuple[Event, ...]:
    moments = [(9.9, Kind.START), (10.3, Kind.READY), (13.9, Kind.STOP), (14.2, Kind.STOPPED)]
    return tuple(
        Event(100 + n, 1e9 + mono + number, mono + number, "boot", kind, name, f"{name}-{number}")
        for n, (mono, kind, name, number) in enumerate(
            (mono, kind, name, number) for name, _pid, number in _LIVES for mono, kind in moments
        )
    )


_LIVES = ((WIDE, 21, 1), (WIDE, 22, 2), (LOYAL, 31, 1), (LOYAL, 32, 2))
"""A service, a process, and which of its instances that is."""


def _alone() -> Record:
    return Record(
        asked=(
            Asked("post-1", "post", "it", 9.8, 10.8),
            Asked("get-2", "get", "it", 14.9, 15.0, Answer.BROKEN),
            Asked("get-3", "get", "it", 15.1, 15.1, Answer.AWAY),
            Asked("get-4", "get", "it", 17.0, 18.0, Answer.BROKEN),
            Asked("click-6", "click", "it", 30.0, 31.5, Answer.TOLD, "service_asleep_page"),
            Asked("get-5", "get", "it", 20.0, 20.1, Answer.TOLD, "service_asleep_by_hand"),
        ),
        lines=(
            _line(7, 10.0, "start"),
            _line(7, 10.5, "listen"),
            *(_line(7, 10.7, what, "post-1") for what in ("got", "whole", "done")),
            *(_line(7, 14.95, what, "get-2") for what in ("got", "broken")),
            _line(8, 17.6, "start"),
            _line(8, 17.7, "listen"),
            _line(8, 19.5, "term"),
            _line(8, 19.6, "end"),
        ),
        events=tuple(
            Event(number, 1e9 + mono, mono, "boot", kind, "it", "it-1")
            for number, (kind, mono) in enumerate(
                [
                    (Kind.START, 9.9),
                    (Kind.READY, 10.6),
                    (Kind.CRASHED, 17.2),
                    (Kind.START, 17.5),
                    (Kind.READY, 17.8),
                    (Kind.STOP, 19.4),
                    (Kind.STOPPED, 19.7),
                ]
            )
        ),
        incidents=(
            Incident(Happened.ENVOY_KILLED, 15.0, 15.3),
            Incident(Happened.CRASHED, 17.1, 17.1, "it", "awake", pid=7),
            Incident(Happened.CONTROL_PLANE_KILLED, 30.1, 31.4),
            Incident(Happened.SLEPT, 19.3, 21.0, "it"),
        ),
        diaries=("it",),
    )


def _line(pid: int, at: float, what: str, request: str = "") -> Line:
    return Line("it", pid, at, what, request, "it-1")
