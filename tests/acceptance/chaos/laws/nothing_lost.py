"""No request is lost that the service itself did not lose. Each is accounted for, by the first that applies:

answered right · open in an Envoy that was killed, or made while there was none · open when its service was
killed, at this very instance where there are several · told to come again (503 with Retry-After) while a
person let the service sleep or fate let it fail · told that its budget is used up (whether it is, another law
says) · told that this service wants a click first · an upload that was turned away by a person's sleep before
all of it was sent, whose sender cannot read why · a click that a killed control plane took with it before the
start was written down: the page asks again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from tests.acceptance.chaos.record import USED_UP, Answer, Asked, Happened, Incident, Record, overlap
from tests.acceptance.chaos.tenants import MOST

LOST = "lost"

_GRACE = 0.5
"""Seconds in which the end of a person's sleep, or of a failure, reaches the gate."""
_NOTICED = 0.1
"""Seconds in which Envoy reads that a connection to a dead service is closed; what it sent there is lost."""


def broken(record: Record) -> Iterator[str]:
    for one in record.asked:
        if account(record, one) == LOST:
            yield f"{one.id} to {one.service} at {one.began:.3f}–{one.ended:.3f}: {one.answer} {one.detail}"


def accounts(record: Record) -> Counter[str]:
    """How many requests of each kind of end."""
    return Counter(account(record, one) for one in record.asked)


def account(record: Record, one: Asked) -> str:
    match one.answer:
        case Answer.RIGHT:
            return "answered right"
        case Answer.TOLD:
            return _told(record, one)
        case Answer.AWAY | Answer.BROKEN:
            if _during(one, record.happened(Happened.ENVOY_KILLED), 0.0):
                away = one.answer is Answer.AWAY
                return "came while envoy was away" if away else "open in a killed envoy"
            if _during(one, _killed(record, one), _NOTICED):
                return "its service was killed"
            if one.kind == "upload" and _during(one, _slept(record, one), _GRACE):
                return "turned away while it was sent: put to sleep by hand"
    return LOST


def _told(record: Record, one: Asked) -> str:
    if one.detail == "service_asleep_page":
        if one.kind != "click":
            return "told to click first"
        if _during(one, record.happened(Happened.CONTROL_PLANE_KILLED), 0.0):
            return "asked for another click: the first went with a killed control plane"
    if one.detail == USED_UP:
        return "told that the budget is used up"
    for what in (Happened.SLEPT, Happened.FAILING):
        if _during(one, record.happened(what, service=one.service), _GRACE):
            return f"told to come again: {what}"
    return LOST


def _killed(record: Record, one: Asked) -> list[Incident]:
    """Of several instances, only the one that had it can have lost it; what nobody read, at once."""
    killed = record.happened(Happened.CRASHED, service=one.service)
    if one.service not in MOST:
        return killed
    had = {line.pid for line in record.lines if line.id == one.id}
    return [each for each in killed if each.pid in had or (not had and one.ended <= each.until + _NOTICED)]


def _slept(record: Record, one: Asked) -> list[Incident]:
    return record.happened(Happened.SLEPT, service=one.service)


def _during(one: Asked, incidents: list[Incident], grace: float) -> bool:
    return any(overlap(one.began - grace, one.ended, incident) for incident in incidents)


def spoiled(record: Record) -> Iterator[Record]:
    for answer in (Answer.TOLD, Answer.AWAY, Answer.BROKEN):
        first, *others = record.asked
        yield replace(record, asked=(replace(first, answer=answer), *others))
    for what in {one.what for one in record.incidents}:
        yield replace(record, incidents=tuple(one for one in record.incidents if one.what != what))
