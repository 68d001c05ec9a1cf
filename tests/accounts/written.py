"""Journals as Poorwill would have written them, without waiting for the days to go by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from poorwill.core.model import Now
from poorwill.core.price import Price
from poorwill.core.statement import Statement
from poorwill.store.journal import Entry, Journal, Kind

ZONE = "Asia/Shanghai"
Line = tuple[str, Entry]
"""A local time such as 2025-03-04 10:00, and what was written down then."""


def wall(text: str, zone: str = ZONE) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


async def write(folder: Path, lines: Iterable[Line], since: str = "2025-01-01") -> Path:
    """A state folder with this journal; the host was never switched off."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = await Journal.open(folder)
    begin = wall(since)
    for text, entry in sorted(lines, key=lambda line: wall(line[0])):
        await journal.append(Now(wall(text), wall(text) - begin, "boot-1"), entry)
    await journal.close()
    return folder


def life(name: str, start: str, end: str = "", number: int = 1) -> list[Line]:
    """Started, seen to be there at once, and gone."""
    instance = f"{name}-{number}"
    lines = [
        (start, Entry(Kind.START, name, instance)),
        (start, Entry(Kind.THERE, name, instance, detail={"life": start, "since": None})),
    ]
    if end:
        detail = {"life": start, "until": None, "seen": wall(end)}
        lines += [
            (end, Entry(Kind.STOP, name, instance)),
            (end, Entry(Kind.GONE, name, instance, detail=detail)),
        ]
    return lines


def alive(at: str) -> Line:
    """Something was written down: a Poorwill ran."""
    return at, Entry(Kind.NOTED)


def terms(
    at: str,
    name: str,
    price: Price | None = None,
    on: str = "",
    kind: str = "service",
    place: str = "docker",
    **more: float,
) -> Line:
    detail = {"price": price.as_json() if price else None, "on": on, "kind": kind, "place": place, **more}
    return at, Entry(Kind.TERMS, name, detail=detail)


def whole(
    at: str, *payers: str, currency: str = "CNY", costs: Iterable[dict[str, Any]] = (), **more: Any
) -> Line:
    told = Statement(currency, ZONE, payers=payers, **more).as_json()
    return at, Entry(Kind.TERMS, detail={**told, "costs": list(costs)})
