"""Who is kept with one instance finds the same one again as long as that lives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from tests.acceptance.chaos.record import Record
from tests.acceptance.chaos.tenants import IDLE_AFTER

_READ = 0.5
"""Seconds by which what Poorwill reads of an instance may be older than what its visitors saw."""


def broken(record: Record) -> Iterator[str]:
    lives = {life.pid: life for service in record.diaries for life in record.lives(service)}
    for visit in record.visits:
        before = lives.get(visit.before)
        if before is None or visit.pid == visit.before:
            continue
        stopped = min(before.term or inf, before.end or inf)
        forgotten = IDLE_AFTER.get(visit.service, 1.0) - _READ
        if visit.at < stopped and visit.away < forgotten:
            yield (
                f"visitor {visit.visitor} of {visit.service}, away for {visit.away:.2f} s, was sent from "
                f"{visit.before} to {visit.pid} at {visit.at:.3f}; the first was stopped at {stopped:.3f}"
            )


def spoiled(record: Record) -> Iterator[Record]:
    first, again = record.visits
    yield replace(record, visits=(first, replace(again, pid=32)))
