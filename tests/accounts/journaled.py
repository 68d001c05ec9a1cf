"""The recorded month in a real journal, beside a real poorwill.yaml."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.accounts.recorded import SERVICES, START, Lived, october

from poorwill.accounts.record import Record
from poorwill.advisor.gpus import priced
from poorwill.config import Settings, load
from poorwill.control.terms import entries
from poorwill.core.model import Now
from poorwill.providers.registry import option_models
from poorwill.store import queries
from poorwill.store.event import Entry, Kind, row_of
from poorwill.store.journal import Journal

DAY = 86400.0

_SERVICE = """
  {name}:
    hosts: [{name}.example.com]
    run: {{process: {{command: "serve --port {{port}}"}}}}
    idle_after: {idle:.0f}s
    price: {{per_hour: {price}, gpu: A10G}}
"""


def configuration(review: str = "", services: Sequence[Lived] = SERVICES) -> str:
    """What was in force in that month."""
    text = "timezone: Asia/Shanghai\ncurrency: CNY\nstate: state\n"
    text += "costs:\n  storage: {amount: 35, budget: 50}\n  gateway: {amount: 8, budget: 10}\n"
    text += f"{review}\nservices:"
    for one in services:
        text += _SERVICE.format(name=one.name, idle=one.idle, price=one.price)
        if one.window:
            text += f"    schedule: Mon-Fri {one.window[0]:02}:00-{one.window[1]:02}:00\n"
        if one.name == "kb":
            text += "    budget: [{hours: 240}, {amount: 1200}]\n"
    return text


def settings(folder: Path, review: str = "", services: Sequence[Lived] = SERVICES) -> Settings:
    file = folder / "poorwill.yaml"
    file.write_text(configuration(review, services), encoding="utf-8")
    return load(file, option_models(), {})


async def journaled(known: Settings, services: Sequence[Lived] = SERVICES, *, cut: float = 0.0) -> Record:
    """Writes the journal into the state folder; what it is about is returned. ``cut``: what is missing at
    its beginning, as a part of it.
    """
    record = october(services=services)
    known.state.mkdir()
    journal = await Journal.open(known.state)
    rows = [row_of(entry, Now(at, at, "boot")) for at, entry in _told(record, known)]
    await journal._writer.run(
        lambda connection: queries.insert_events(connection, rows[int(cut * len(rows)) :])
    )
    await journal.close()
    return record


def _told(record: Record, known: Settings) -> list[tuple[float, Entry]]:
    told = [(START - 3 * DAY, entry) for entry in entries(known, {}, priced)]
    told += [
        (event.at, Entry(event.kind, event.service, event.instance, event.reason, event.detail))
        for event in record.events
    ]
    told += [(at, entry) for at, entry in _used(record)]
    return sorted(told, key=lambda one: one[0])


def _used(record: Record) -> Iterator[tuple[float, Entry]]:
    for one in record.stretches:
        detail = dataclasses.asdict(one)
        del detail["service"]
        yield one.end + 60, Entry(Kind.USED, one.service, detail=detail)
