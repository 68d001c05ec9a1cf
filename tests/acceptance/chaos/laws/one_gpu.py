"""Services that need the same GPU for themselves never live at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from tests.acceptance.chaos.record import Line, Record
from tests.acceptance.chaos.tenants import ON_ONE_GPU


def broken(record: Record) -> Iterator[str]:
    lives = [life for service in ON_ONE_GPU for life in record.lives(service)]
    for before, after in pairwise(sorted(lives, key=lambda life: life.start)):
        if before.end is None or before.end > after.start:
            yield f"{after.service} began while {before.service} (process {before.pid}) still had the GPU"


def spoiled(record: Record) -> Iterator[Record]:
    one, other = ON_ONE_GPU
    first = Line(one, 31, 10.0, "start")
    second = Line(other, 32, 12.0, "start")
    yield replace(record, lines=(*record.lines, first, second))
    yield replace(record, lines=(*record.lines, first, second, Line(one, 31, 12.1, "end")))
