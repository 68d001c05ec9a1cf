"""No instance is given more requests at a time than it takes, by its own diary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.acceptance.chaos.record import Happened, Line, Record
from tests.acceptance.chaos.tenants import AT_ONCE, WIDE

_NOTICED = 0.3
"""Seconds in which a process notices that a visitor, or Envoy, has gone."""


def broken(record: Record) -> Iterator[str]:
    for service, limit in AT_ONCE.items():
        for pid in {life.pid for life in record.lives(service)}:
            mine = [line for line in record.lines if line.service == service and line.pid == pid]
            yield from (f"{mine[0].instance}: {words}" for words in _trampled(record, mine, limit))


def _trampled(record: Record, lines: list[Line], limit: int) -> Iterator[str]:
    """Too many for longer than an end takes to be noticed. What a killed Envoy left behind is nobody's."""
    open_since: dict[str, float] = {}
    over: float | None = None
    for line in lines:
        if over is not None and line.at - over > _NOTICED:
            yield f"{len(open_since)} at once from {over:.3f} to {line.at:.3f}, and it takes {limit}"
            return
        if line.what == "got":
            open_since[line.id] = line.at
        elif line.what in ("done", "broken"):
            open_since.pop(line.id, None)
        for killed in record.happened(Happened.ENVOY_KILLED):
            gone = [name for name, at in open_since.items() if at <= killed.until < line.at]
            for name in gone:
                del open_since[name]
        if len(open_since) <= limit:
            over = None
        elif over is None:
            over = line.at


def spoiled(record: Record) -> Iterator[Record]:
    limit = AT_ONCE[WIDE]
    names = [f"more-{number}" for number in range(limit)]  # with the one that is there
    more = [
        Line(WIDE, 21, at, what, name, f"{WIDE}-1")
        for at, what in ((12.15, "got"), (12.55, "done"))
        for name in names
    ]
    yield replace(record, lines=tuple(sorted((*record.lines, *more), key=lambda line: line.at)))
