"""Of visitors the journal tells no more than there were, and of waits none that a request cannot have had.

What a killed control plane had not written is lost, so it may tell less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from tests.acceptance.chaos.record import Record
from tests.acceptance.chaos.tenants import HOLD

from poorwill.core.stretch import Stretch, stretch_from
from poorwill.store.event import Event, Kind

LATE = 2.0
"""Seconds in which a request that may wait no longer is told so."""


def broken(record: Record) -> Iterator[str]:
    came = Counter(one.service for one in record.asked)
    requests: Counter[str] = Counter()
    waited: Counter[str] = Counter()
    for event in record.events:
        if event.kind is Kind.USED:
            one = stretch_from(event.service, event.detail)
            requests[one.service] += one.requests
            waited[one.service] += one.waited
            if not (0 <= one.longest_wait <= min(one.wait_seconds + 0.001, HOLD + LATE)):
                yield f"somebody waited {one.longest_wait} s of {one.wait_seconds} for {one.service}"
            if one.end < one.start or (one.wait_seconds and not one.waited):
                yield f"that is no stretch: {one}"
    for what, counted in (("were answered by", requests), ("waited for", waited)):
        for service, count in counted.items():
            if count > came[service]:
                yield f"{count} {what} {service}, and only {came[service]} came"


def spoiled(record: Record) -> Iterator[Record]:
    good = Stretch("it", 1e9, 1e9 + 5, 2, waited=1, wait_seconds=3.0, longest_wait=3.0)
    for one in (
        replace(good, requests=99),
        replace(good, waited=99),
        replace(good, end=1e9 - 1),
        replace(good, longest_wait=3.1),
        replace(good, wait_seconds=90.0, longest_wait=90.0),
        replace(good, waited=0),
    ):
        line = Event(0, 1e9, 21.0, "boot", Kind.USED, "it", detail=one.as_json())
        yield replace(record, events=(*record.events, line))
