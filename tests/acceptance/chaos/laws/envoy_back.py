"""A killed Envoy is back at once. The aim is a second; the law leaves room for a machine that is busy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.acceptance.chaos.record import Happened, Record

LIMIT = 3.0
"""Seconds."""


def broken(record: Record) -> Iterator[str]:
    for one in record.happened(Happened.ENVOY_KILLED):
        if one.until - one.at > LIMIT:
            yield f"away for {one.until - one.at:.2f} s ({one.phase})"


def spoiled(record: Record) -> Iterator[Record]:
    killed = record.happened(Happened.ENVOY_KILLED)[0]
    others = tuple(one for one in record.incidents if one != killed)
    yield replace(record, incidents=(*others, replace(killed, until=killed.at + LIMIT + 0.1)))
