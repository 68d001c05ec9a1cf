"""The words of the journal: what can be written down, and how it looks as a row.

An ``Entry`` is what a caller wants to remember; an ``Event`` is an entry that was committed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from poorwill.core.model import Now
from poorwill.errors import StateError

Json = Any
"""A value that survives ``json.dumps``."""

Row = dict[str, Any]

_SECRET = re.compile(
    r"passw(or)?d|passphrase|secret|credential|authori[sz]ation|cookie"
    r"|(api|access|private|auth)[_-]?key|(access|auth|bearer|api|session)[_-]?token|^token$",
    re.IGNORECASE,
)
WITHHELD = "[withheld]"


class Kind(StrEnum):
    """What an event is about.

    The whole program (service ""): UP, DOWN, RELOAD, GATEWAY. A decision: PHASE. Intents: START, STOP.
    Answers of the provider: STARTED, CALL_FAILED. What it noticed, such as who stopped it: NOTED. Outcomes:
    READY, STOPPED, FAILED, CRASHED, and of a job DONE or SKIPPED. What a busy probe cannot tell, and that its
    say is over: BUSY. A person's demand: WAKE, SLEEP, PLAN, AUTO. The request that a wake is for: WOKEN. What
    others started: ADOPT. Money that is spent for nothing: DEBT until SETTLED. What a person must be told:
    ALERT.

    For the ledger: that an instance was first seen to be there, and first seen to be gone: THERE, GONE. On
    which terms something is paid for from now on: TERMS. What hardware of one's own drew: METER. When a
    service was used: USED. That a month was looked back on: REVIEW.
    """

    UP = "up"
    DOWN = "down"
    RELOAD = "reload"
    GATEWAY = "gateway"
    PHASE = "phase"
    START = "start"
    STARTED = "started"
    STOP = "stop"
    CALL_FAILED = "call_failed"
    READY = "ready"
    STOPPED = "stopped"
    FAILED = "failed"
    CRASHED = "crashed"
    WAKE = "wake"
    SLEEP = "sleep"
    AUTO = "auto"
    PLAN = "plan"
    DONE = "done"
    SKIPPED = "skipped"
    WOKEN = "woken"
    NOTED = "noted"
    BUSY = "busy"
    ADOPT = "adopt"
    DEBT = "debt"
    SETTLED = "settled"
    ALERT = "alert"
    THERE = "there"
    GONE = "gone"
    TERMS = "terms"
    METER = "meter"
    USED = "used"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to remember.

    Keys of ``detail`` that ``restore`` reads: START ``prepared`` (what the provider chose before the
    start) and ``due`` (a job's hour), STARTED ``handle`` (the handle's data), READY ``seconds`` (how long
    the wake took), FAILED and CRASHED ``streak`` (failures in a row, this one included) and ``delay``,
    WAKE and SLEEP ``until`` and ``until_wall``, PLAN ``plans`` (all of them), WOKEN ``client``, DONE and
    SKIPPED ``last_run``, STOP, STOPPED, CRASHED and DONE ``life`` (which one ended or is to end), DEBT
    ``cause`` and ``since``, ALERT ``about`` (a cause, or ``metric``) and ``severity``.

    What the ledger reads (all times are seconds since the epoch): THERE ``life`` and ``since``, the
    provider's own timestamp of when it began or None, and ``absent``, when it had not begun yet; GONE
    ``life``, ``since`` and ``until``, the provider's timestamps or None, and ``seen``, when it was last known
    to be there, None when nobody knows; FAILED ``refused``, that the provider made nothing; TERMS ``price``
    (see ``core.price``, or None), ``on`` (its machine), ``kind`` and ``place``, ``since`` where it was said
    from when on the price counts, and of service "" ``costs`` and what ``core.statement`` says; METER
    ``since``, ``until`` and ``kwh`` (text); USED the fields of ``core.stretch``; REVIEW ``month``.
    """

    kind: Kind
    service: str = ""
    instance: str = ""
    reason: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """An entry that is on the disk.

    ``id`` grows by one with each event. ``at`` is seconds since the epoch (UTC) to the microsecond;
    ``mono`` is comparable with other events of the same ``boot`` only.
    """

    id: int
    at: float
    mono: float
    boot: str
    kind: Kind
    service: str = ""
    instance: str = ""
    reason: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict)


def row_of(entry: Entry, now: Now) -> Row:
    """The columns of a new row, without its id.

    Raises TypeError or ValueError when ``detail`` is not JSON: that is a mistake of the caller.
    """
    return {
        "at_us": round(now.wall * 1_000_000),
        "mono": now.mono,
        "boot": _text(now.boot),
        "kind": entry.kind.value,
        "service": _text(entry.service),
        "instance": _text(entry.instance),
        "reason": _text(entry.reason),
        "detail": json.dumps(_without_secrets(entry.detail), allow_nan=False, separators=(",", ":")),
    }


def event_of(row: Mapping[Any, Any]) -> Event:
    """The event that a row holds; StateError when its kind is not known here, or the row is damaged."""
    try:
        kind = Kind(row["kind"])
    except ValueError:
        raise StateError(
            f"event {row['id']} of the journal is of the kind {row['kind']!r}, unknown to this Poorwill",
            hint="a newer Poorwill wrote it: install that version again",
        ) from None
    return Event(
        id=row["id"],
        at=row["at_us"] / 1_000_000,
        mono=row["mono"],
        boot=row["boot"],
        kind=kind,
        service=row["service"],
        instance=row["instance"],
        reason=row["reason"],
        detail=_detail(row),
    )


def _detail(row: Mapping[Any, Any]) -> Mapping[str, Json]:
    """Everybody who reads an event may rely on it that this is a mapping."""
    try:
        detail = json.loads(row["detail"])
    except (TypeError, ValueError):
        detail = None
    if not isinstance(detail, dict):
        raise StateError(
            f"event {row['id']} of the journal ({row['kind']}) is damaged: its detail cannot be read",
            hint="put a backup of journal.db in its place, or move it away: then a new one is begun",
        )
    return detail


def _text(text: str) -> str:
    """Text that every database takes: programs print bytes that are not UTF-8, and NUL."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")


def _without_secrets(value: Json) -> Json:
    """The same value with everything that is named like a secret left out: journals get mailed around."""
    if isinstance(value, Mapping):
        return {
            key: WITHHELD if _SECRET.search(str(key)) and inner is not None else _without_secrets(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(inner) for inner in value]
    return value
