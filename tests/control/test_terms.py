"""What everything costs is written down once, and again when it is something else."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.patience import PATIENCE

from poorwill.advisor.gpus import priced
from poorwill.config import Settings, load
from poorwill.control import terms as room
from poorwill.control.recorder import Recorder
from poorwill.control.terms import Terms, entries
from poorwill.core.price import Price, price_from
from poorwill.core.statement import Exchange, statement_from
from poorwill.errors import StateError
from poorwill.providers.registry import option_models
from poorwill.store.journal import Entry, Event, Journal, Kind

FILE = """
currency: CNY
timezone: Asia/Shanghai
costs: {storage: {amount: 35, per: month}}
exchange_rates: {USD: {rate: 7.12, date: 2026-11-20}}
machines:
  gpu: {http: {cloud: autodl, instance: pro-1, token: t}, ssh: {}, price: {gpu: RTX 4090, billed: hour}}
services:
  kb: {hosts: [kb.test], run: {process: {command: [x, '{port}']}}, price: 3.90}
  model: {hosts: [m.test], on: gpu, address: 'tunnel:80'}
  own: {hosts: [o.test], run: {process: {command: [x, '{port}']}}, price: {watts: 350, per_kwh: 0.62}}
  report: {run: {process: {command: [x]}}, schedule: [{start: '0 6 * * *', until: done}]}
"""


def settings(folder: Path, text: str = FILE) -> Settings:
    file = folder / "poorwill.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, option_models(), {})


def typical(gpu: str, cloud: str, currency: str) -> Price | None:
    assert (gpu, cloud, currency) == ("RTX 4090", "autodl", "CNY")
    return Price("CNY", Decimal("1.98"), gpu="GeForce RTX 4090", source="a list, 2026-11-22")


def test_a_line_for_each_and_one_for_the_whole(tmp_path: Path) -> None:
    found = {entry.service: entry for entry in entries(settings(tmp_path), {}, typical)}
    assert {name: entry.reason for name, entry in found.items()} == {
        "gpu": "1.98 CNY per hour, billed by the started hour, a typical price (a list, 2026-11-22)",
        "kb": "3.90 CNY per hour",
        "model": "no price is stated",
        "own": "350 W at 0.62 CNY per kWh",
        "report": "no price is stated",
        "": "what is paid for all of it",
    }
    assert price_from(found["gpu"].detail["price"]) == Price(
        "CNY", Decimal("1.98"), step=3600, gpu="RTX 4090", typical=True, source="a list, 2026-11-22"
    )
    kinds = {
        name: (one.detail["kind"], one.detail["on"], one.detail["place"])
        for name, one in found.items()
        if name
    }
    assert kinds == {
        "gpu": ("machine", "", "autodl"),
        "kb": ("service", "", "process"),
        "model": ("service", "gpu", "machine"),
        "own": ("service", "", "process"),
        "report": ("job", "", "process"),
    }
    whole = statement_from(found[""].detail)
    assert (whole.currency, whole.zone) == ("CNY", "Asia/Shanghai")
    assert whole.rates == {"USD": Exchange(Decimal("7.12"), "2026-11-20")}
    assert whole.payers == ("gpu", "kb", "model", "own", "report")
    assert [cost["name"] for cost in found[""].detail["costs"]] == ["storage"]


def test_only_what_is_something_else_is_written_again(tmp_path: Path) -> None:
    known = {one.service: one.detail for one in entries(settings(tmp_path), {}, typical)}
    assert entries(settings(tmp_path), known, typical) == []
    changed = settings(tmp_path, FILE.replace("price: 3.90", "price: 4").replace("amount: 35", "amount: 36"))
    assert [one.service for one in entries(changed, known, typical)] == ["kb", ""]


def test_a_gpu_nobody_knows_the_price_of_has_none_and_says_so(tmp_path: Path) -> None:
    strange = settings(tmp_path, FILE.replace("RTX 4090", "Voodoo 2"))
    [gpu] = [one for one in entries(strange, {}, priced) if one.service == "gpu"]
    assert gpu.detail["price"] is None
    assert gpu.reason.startswith("nobody knows what an hour of Voodoo 2 costs: state per_hour")


def test_the_shipped_table_is_asked_for_the_cloud_and_the_currency_first() -> None:
    found = priced("A10G", "aws", "USD")
    assert found
    assert (found.currency, found.typical, found.gpu) == ("USD", True, "A10G")
    assert found.source.startswith("aws, 20")
    elsewhere = priced("A10G", "a cloud nobody knows", "CHF")
    assert elsewhere
    assert elsewhere.per_hour


async def test_a_restart_and_a_reload_write_what_is_new(tmp_path: Path) -> None:
    first = await _written(tmp_path, [settings(tmp_path)], 6)
    assert [event.service for event in first] == ["gpu", "kb", "model", "own", "report", ""]
    changed = settings(tmp_path, FILE.replace("price: 3.90", "price: 4"))
    second = await _written(tmp_path, [settings(tmp_path), changed], 7)
    assert [(event.service, event.detail["price"]["per_hour"]) for event in second[6:]] == [("kb", "4")]


async def test_a_journal_that_cannot_be_read_at_first_is_read_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "AGAIN", 0.0)
    real, tries = Journal.terms, []

    async def at_last(journal: Journal) -> list[Event]:
        tries.append(journal)
        if len(tries) < 3:
            raise StateError("the disk does not answer", hint="wait")
        return await real(journal)

    monkeypatch.setattr(Journal, "terms", at_last)
    assert len(await _written(tmp_path, [settings(tmp_path)], 6)) == 6


async def _written(folder: Path, stated: list[Settings], count: int) -> list[Event]:
    """The terms in the journal, as soon as there are so many."""
    (folder / "state").mkdir(exist_ok=True)
    journal = await Journal.open(folder / "state")
    recorder = Recorder(journal)
    terms = Terms(journal, recorder, typical)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(PATIENCE):
        works = [tasks.create_task(work) for work in (recorder.run(), terms.run())]
        for one in stated:
            terms.state(one)
            await asyncio.sleep(0)
        async for _ in journal.subscribe(after=0):
            if len(await journal.terms()) >= count:
                break
        assert await recorder.flush(5)
        for work in works:
            work.cancel()
    found = await journal.terms()
    await journal.close()
    assert all(event.kind is Kind.TERMS for event in found)
    return found


async def test_who_reckons_with_prices_can_wait_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each `state` they are noted when ``noted`` says so, however long it takes to find them."""
    slow, real = threading.Event(), room.entries

    def looked_up(*given: Any) -> list[Entry]:
        assert slow.wait(10)
        return real(*given)

    monkeypatch.setattr(room, "entries", looked_up)
    (tmp_path / "state").mkdir()
    journal = await Journal.open(tmp_path / "state")
    recorder = Recorder(journal)
    terms = Terms(journal, recorder, typical)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        works = [tasks.create_task(work) for work in (recorder.run(), terms.run())]
        for stated, count in ((FILE, 6), (FILE.replace("price: 3.90", "price: 4"), 7)):
            terms.state(settings(tmp_path, stated))
            assert not await terms.noted(0.05)
            slow.set()
            assert await terms.noted(10)
            slow.clear()
            assert await recorder.flush(5)
            assert len(await journal.terms()) == count
        for work in works:
            work.cancel()
    await journal.close()


@pytest.mark.parametrize("count", [0, 1, 30])
async def test_terms_are_found_among_many_lines(tmp_path: Path, count: int) -> None:
    from tests.accounts.written import terms, whole, write

    from poorwill.store.journal import read_only

    lines = [("2025-03-01", Entry(Kind.PHASE, f"s{number % 7}")) for number in range(count)]
    lines += [terms("2025-03-02", "s3"), whole("2025-03-02", "s3"), terms("2025-03-03", "other")]
    with read_only(await write(tmp_path / "state", lines)) as archive:
        assert [event.service for event in archive.terms()] == ["s3", "", "other"]
