"""No instance lives twice at once: by its own lock, and by the times of its lives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from tests.acceptance.chaos.record import Record


def broken(record: Record) -> Iterator[str]:
    for line in record.lines:
        if line.what == "two at once":
            yield f"{line.instance} found another one of itself when process {line.pid} started"
    for service in record.diaries:
        lives = sorted(record.lives(service), key=lambda life: (life.instance, life.start))
        for before, after in pairwise(lives):
            same = before.instance == after.instance
            if same and (before.end is None or before.end > after.start):
                yield f"{after.instance}: process {after.pid} began while {before.pid} still lived"


def spoiled(record: Record) -> Iterator[Record]:
    start = next(line for line in record.lines if line.what == "start")
    yield replace(record, lines=(*record.lines, replace(start, what="two at once")))
    yield replace(record, lines=(*record.lines, replace(start, pid=start.pid + 1, at=start.at + 0.01)))
