"""Whoever follows the journal sees each new event once, in order."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

from tests.patience import PATIENCE

from poorwill.core.model import Now
from poorwill.store.journal import Entry, Event, Journal, Kind, Subscription


async def take(subscription: Subscription, count: int) -> list[Event]:
    async with asyncio.timeout(PATIENCE):
        return [await anext(subscription) for _ in range(count)]


async def test_only_what_is_new_and_from_the_call_on(journal: Journal, now: Now) -> None:
    await journal.append(now, Entry(Kind.UP))
    news = journal.subscribe()
    written = await journal.append(now, Entry(Kind.PHASE, "a"), Entry(Kind.PHASE, "b"))
    assert await take(news, 2) == written


async def test_from_a_place_in_the_past(journal: Journal, now: Now) -> None:
    written = await journal.append(now, *(Entry(Kind.PHASE, "a") for _ in range(5)))
    assert await take(journal.subscribe(after=2), 3) == written[2:]


async def test_of_one_service(journal: Journal, now: Now) -> None:
    news = journal.subscribe(service="b")
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(take(news, 2))
        for service in "aabab":
            await journal.append(now, Entry(Kind.PHASE, service))
    assert [event.id for event in reader.result()] == [3, 5]


async def test_a_slow_and_a_fast_reader_miss_nothing(journal: Journal, now: Now) -> None:
    fast, slow = journal.subscribe(), journal.subscribe()
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(take(fast, 450))
        for _ in range(45):
            await journal.append(now, *(Entry(Kind.PHASE, "a") for _ in range(10)))
    assert [event.id for event in reader.result()] == list(range(1, 451))
    assert await take(slow, 450) == reader.result()


async def test_it_ends_with_the_journal(tmp_path: Path, now: Now) -> None:
    journal = await Journal.open(tmp_path)
    news = journal.subscribe()

    async def follow() -> list[Kind]:
        return [event.kind async for event in news]

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        reader = group.create_task(follow())
        await journal.append(now, Entry(Kind.UP))
        while not (reader.done() or news._after):
            await asyncio.sleep(0)
        await journal.close()
    assert reader.result() == [Kind.UP]


async def test_one_that_nobody_holds_is_forgotten(journal: Journal) -> None:
    journal.subscribe()
    gc.collect()
    assert len(journal._subscriptions) == 0
