"""The journal tells when each instance lived, as it has it itself; and at the end nothing is open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.acceptance.chaos.record import Happened, Life, Record

from poorwill.store.event import Event, Kind

EARLY = 0.05
"""Seconds by which two readings of the same clock may seem to be in the wrong order."""
LATE = 5.0
"""Seconds from an end to the moment the journal has it, the time aside in which nobody could write."""


@dataclass
class Span:
    """From the first intent to start to the end, as the journal has it."""

    starts: list[float]
    ready: float | None = None
    failed: float | None = None
    stopping: bool = False
    end: float | None = None
    lives: list[Life] = field(default_factory=list)

    @property
    def over(self) -> float | None:
        """A start that failed is over when nothing had to be cleared away after it."""
        return self.failed if self.end is None and not self.stopping else self.end


def broken(record: Record) -> Iterator[str]:
    begun = {(one.service, one.instance) for one in record.events if one.kind is Kind.START}
    begun |= {(life.service, life.instance) for name in record.diaries for life in record.lives(name)}
    for service, name in sorted(begun):
        spans = spans_of([event for event in record.events if event.instance == name])
        yield from (f"{name}: {words}" for words in _open(spans))
        if service in record.diaries:
            lives = [life for life in record.lives(service) if life.instance == name]
            yield from (f"{name}: {words}" for words in _compared(record, spans, lives))


def spans_of(events: list[Event]) -> list[Span]:
    spans: list[Span] = []
    for event in events:
        last = spans[-1] if spans else None
        match event.kind:
            case Kind.START if last is None or last.over is not None:
                spans.append(Span([event.mono]))
            case Kind.START if last:
                last.starts.append(event.mono)
            case Kind.READY if last:
                last.ready = event.mono
            case Kind.FAILED if last:
                last.failed = event.mono
            case Kind.STOP if last and last.end is None:
                last.stopping = True
            case Kind.STOPPED | Kind.CRASHED if last and last.end is None:
                last.end = event.mono
    return spans


def _open(spans: list[Span]) -> Iterator[str]:
    for span in spans:
        if span.over is None:
            yield f"the start at {span.starts[0]:.3f} has no end"


def _compared(record: Record, spans: list[Span], lives: list[Life]) -> Iterator[str]:
    for life in lives:
        own = [span for span in spans if span.starts[0] - EARLY <= life.start and _before_end(span, life)]
        if not own:
            yield f"process {life.pid} began at {life.start:.3f}, and the journal has nothing there"
        else:
            own[-1].lives.append(life)
    for span in spans:
        if len(span.lives) > len(span.starts):
            yield f"{len(span.lives)} processes for {len(span.starts)} starts at {span.starts[0]:.3f}"
        if span.ready is not None and not any(_answered(life, span.ready) for life in span.lives):
            yield f"ready at {span.ready:.3f}, and no process listened"
        ends = [life.end for life in span.lives if life.end is not None]
        if span.over is not None and ends:
            yield from _ends(record, span.over, max(ends))


def _before_end(span: Span, life: Life) -> bool:
    return span.over is None or life.start <= span.over + EARLY


def _answered(life: Life, ready: float) -> bool:
    return life.listen is not None and life.listen <= ready + EARLY


def _ends(record: Record, said: float, real: float) -> Iterator[str]:
    if said < real - EARLY:
        yield f"over at {said:.3f} by the journal, and it lived until {real:.3f}"
    dead = sum(
        max(0.0, min(said, one.until) - max(real, one.at))
        for one in record.happened(Happened.CONTROL_PLANE_KILLED)
    )
    if said - real - dead > LATE:
        yield f"over at {real:.3f}, and the journal has it at {said:.3f}"


def spoiled(record: Record) -> Iterator[Record]:
    def events(kind: Kind, by: float | None) -> Record:
        moved = [
            replace(event, mono=event.mono + (by or 0.0)) if event.kind is kind else event
            for event in record.events
            if event.kind is not kind or by is not None
        ]
        return replace(record, events=tuple(moved))

    yield events(Kind.STOPPED, None)
    yield events(Kind.STOPPED, -1.0)
    yield events(Kind.STOPPED, LATE + 1)
    yield events(Kind.READY, -1.0)
    yield events(Kind.START, 1.0)
    yield replace(record, events=tuple(one for one in record.events if one.instance != "wide-2"))
    again = [replace(line, pid=99, at=line.at + 2) for line in record.lines if line.what in ("start", "end")]
    yield replace(record, lines=(*record.lines, *again))
