"""A short day on which all laws held, for showing that each law can fail."""

from __future__ import annotations

from tests.acceptance.chaos.record import Answer, Asked, Happened, Incident, Line, Record

from poorwill.store.event import Event, Kind


def lawful() -> Record:
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
            Line("it", 7, 10.0, "start"),
            Line("it", 7, 10.5, "listen"),
            *(Line("it", 7, 10.7, what, "post-1") for what in ("got", "whole", "done")),
            *(Line("it", 7, 14.95, what, "get-2") for what in ("got", "broken")),
            Line("it", 8, 17.6, "start"),
            Line("it", 8, 17.7, "listen"),
            Line("it", 8, 19.5, "term"),
            Line("it", 8, 19.6, "end"),
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
