"""After the end nothing runs: no process, no container, and every life has an end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.acceptance.chaos.record import Record


def broken(record: Record) -> Iterator[str]:
    for one in record.left:
        yield f"still there: {one}"
    for service in record.diaries:
        for life in record.lives(service):
            if life.end is None:
                yield f"{service}: nobody knows how process {life.pid} ended"


def spoiled(record: Record) -> Iterator[Record]:
    yield replace(record, left=("python service.py",))
    yield replace(record, lines=tuple(line for line in record.lines if line.what != "end"))
