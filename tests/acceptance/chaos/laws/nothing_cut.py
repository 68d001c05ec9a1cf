"""Nothing is stopped while it works on a request whose visitor still waits for the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from tests.acceptance.chaos.record import Asked, Happened, Life, Record, overlap


def broken(record: Record) -> Iterator[str]:
    asked = {one.id: one for one in record.asked}
    for service in record.diaries:
        for life in record.lives(service):
            if life.term is None:
                continue
            for name in _at_work(record, life, life.term):
                one = asked.get(name)
                if one is not None and one.ended >= life.term and not _gone(record, one, life.term):
                    yield f"{life.instance} was stopped at {life.term:.3f} while it worked on {name}"


def _at_work(record: Record, life: Life, at: float) -> list[str]:
    mine = [line for line in record.lines if line.service == life.service and line.pid == life.pid]
    over = {line.id: line.at for line in mine if line.what in ("done", "broken")}
    return [line.id for line in mine if line.what == "got" and line.at < at <= over.get(line.id, inf)]


def _gone(record: Record, one: Asked, at: float) -> bool:
    """With an Envoy that was killed went all that was open in it, and the service may not know."""
    return any(overlap(one.began, at, killed) for killed in record.happened(Happened.ENVOY_KILLED))


def spoiled(record: Record) -> Iterator[Record]:
    for life in (life for service in record.diaries for life in record.lives(service)):
        works = [line for line in record.lines if line.pid == life.pid and line.what == "got"]
        if life.term is not None and works:
            early = works[0].at + 0.01
            moved = tuple(
                replace(line, at=early) if line.pid == life.pid and line.what == "term" else line
                for line in record.lines
            )
            yield replace(record, lines=moved)
