"""The monthly review comes by itself: when it is due, once, and again only where it failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.accounts.journaled import journaled, settings
from tests.accounts.recorded import MONTH, SERVICES
from tests.patience import until

from poorwill import clock
from poorwill.config import Settings
from poorwill.control import reviews as room
from poorwill.control.recorder import Recorder
from poorwill.control.reviews import Reviews
from poorwill.errors import StateError
from poorwill.store.journal import Entry, Event, Journal, Kind

FEW = SERVICES[2:]
SIX = MONTH.stop + 6 * 3600


@asynccontextmanager
async def running(known: Settings) -> AsyncIterator[tuple[Reviews, Journal]]:
    """As `up` has it; leaving is a restart."""
    journal = await Journal.open(known.state)
    recorder = Recorder(journal)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(recorder.run())
        reviews = Reviews(journal, recorder, known.state)
        reviews.state(known)
        yield reviews, journal
        task.cancel()
    await journal.close()


def set_clock(monkeypatch: pytest.MonkeyPatch, wall: float) -> None:
    now = replace(clock.now(), wall=wall)
    monkeypatch.setattr(clock, "now", lambda: now)


async def written(journal: Journal) -> list[Event]:
    return await journal.reviews()


@pytest.fixture
async def known(tmp_path: Path) -> Settings:
    found = settings(tmp_path, "review: {monthly: true, lang: zh, formats: [markdown]}", FEW)
    await journaled(found, FEW)
    return found


async def test_once_a_month(known: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    file = known.state / "reviews" / "2026-10.md"
    set_clock(monkeypatch, SIX - 1)
    async with running(known) as (reviews, journal):
        await reviews.look()
        # What is due before six is that of September, of which only its last days are known.
        assert [one.detail["month"] for one in await written(journal)] == ["2026-09"]
        set_clock(monkeypatch, SIX)
        await reviews.look()
        (_, event) = await written(journal)
        assert event.detail == {"month": "2026-10", "files": ["reviews/2026-10.md"], "lang": "zh"}
        assert "2026 年 10 月回顾" in file.read_text("utf-8")
        file.unlink()
        await reviews.look()
    async with running(known) as (reviews, journal):  # a restart remembers
        await reviews.look()
        assert len(await written(journal)) == 2
    assert not file.exists()


async def test_a_month_that_was_missed_is_made_up_for(
    known: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, SIX + 20 * 86_400)
    async with running(known) as (reviews, journal):
        await reviews.look()
        assert [one.detail["month"] for one in await written(journal)] == ["2026-10"]


async def test_nobody_wished_for_it(known: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, SIX)
    silent = known.model_copy(update={"review": known.review.model_copy(update={"monthly": False})})
    async with running(silent) as (reviews, journal):
        await reviews.look()
        assert await written(journal) == []
    assert not (known.state / "reviews").exists()


async def test_before_anything_was_known_there_is_nothing(
    known: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, MONTH.start - 5 * 86_400)  # due would be August
    async with running(known) as (reviews, journal):
        await reviews.look()
        assert await written(journal) == []


async def test_what_failed_is_tried_again(known: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, SIX)
    (known.state / "reviews").write_text("in the way")
    async with running(known) as (reviews, journal):
        with pytest.raises(StateError, match="cannot be written"):
            await reviews.look()
        assert await written(journal) == []
        (known.state / "reviews").unlink()
        await reviews.look()
        assert len(await written(journal)) == 1


async def test_a_line_that_makes_no_sense_ends_nothing_else(
    known: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, SIX)
    tries: list[None] = []
    real = Reviews.look

    async def look(reviews: Reviews) -> None:
        tries.append(None)
        await real(reviews)

    monkeypatch.setattr(Reviews, "look", look)
    monkeypatch.setattr(room, "RETRY_PAUSE", 0.01)
    async with running(known) as (reviews, journal):
        strange = Entry(Kind.USED, FEW[0].name, detail={"start": "noon"})
        await journal.append(replace(clock.now(), wall=MONTH.start + 1), strange)
        task = asyncio.create_task(reviews.run())
        await until(lambda: len(tries) > 1, "it is tried again")
        assert not task.done()
        task.cancel()
