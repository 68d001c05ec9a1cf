"""Of no service live more instances at a time than there may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from tests.acceptance.chaos.record import Line, Record
from tests.acceptance.chaos.tenants import MOST


def broken(record: Record) -> Iterator[str]:
    for service in record.diaries:
        most, lives = MOST.get(service, 1), record.lives(service)
        for life in lives:
            beside = [one.pid for one in lives if one.start <= life.start < (one.end or inf)]
            if len(beside) > most:
                yield f"{service}: {len(beside)} processes at {life.start:.3f} ({beside}), not {most}"


def spoiled(record: Record) -> Iterator[Record]:
    for service in record.diaries:
        more = (Line(service, 90 + number, 12.3, "start", "", f"{service}-{number}") for number in range(4))
        yield replace(record, lines=(*record.lines, *more))
