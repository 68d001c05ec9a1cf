"""The fake place: real local processes, seen through the delays and failures of a cloud."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from poorwill import clock
from poorwill.core.model import Condition
from poorwill.providers import process
from poorwill.providers.base import Handle, Json, Sighting, Surroundings
from poorwill.providers.fake import options, outcomes
from poorwill.providers.fake.book import Book, Page, Record, dated
from poorwill.providers.fake.weather import Weather

_SERVER = Path(__file__).with_name("server.py")


class FakeProvider:
    """One service in the fake place. See ``providers.base`` for the laws.

    What runs is the process provider's to know; the book says when it counts as running or gone.
    ``_room`` is held while room is looked for and taken. ``_mine`` is which starts this object knows of,
    ``_shown`` what ``list`` last said of each instance that was there, and until when it goes on saying so.
    """

    Options: ClassVar[type[BaseModel]] = options.Options
    notices: ClassVar[bool] = False
    settle = 0.0
    stale_after = 30.0

    def __init__(self, options: options.Options, around: Surroundings) -> None:
        if options.list_lag:
            self.settle = options.list_lag + 1.0
        self._around = around
        self._weather = Weather(options, around.base)
        self._book = Book(around.folder)
        command = [sys.executable, "-S", str(_SERVER), str(self._book.file), *["{port}"][: options.serve]]
        self._processes = process.ProcessProvider(process.Options(command=tuple(command)), around)
        self._locks: dict[str, asyncio.Lock] = {}
        self._room = asyncio.Lock()
        self._mine: dict[str, float] = {}
        self._shown: dict[str, tuple[Sighting, float | None]] = {}
        self._taken_over = self._looked = False

    async def adopt(self, known: Mapping[str, Handle]) -> None:
        await self._called()
        await self._take_over(known)
        self._mine = {name: record.asked_at for name, record in self._page().instances.items()}
        self._looked = True

    async def prepare(self, instance: str) -> Mapping[str, Json]:
        return await self._processes.prepare(instance)

    async def start(self, instance: str, prepared: Mapping[str, Json]) -> Handle:
        weather = await self._called()
        async with self._lock(instance):
            if seen := await self._there(instance):
                record = self._page().instances.get(instance)
                if record is not None and record.gone_at is not None:
                    raise outcomes.busy(instance)
                return seen.handle or Handle(instance)
            async with self._room:
                outcome = "no_capacity" if await self._is_full(weather) else self._draw(weather)
                if outcome in ("ok", "lost", "dies"):
                    handle = await self._begin(instance, prepared, weather, dies=outcome == "dies")
                else:
                    handle = Handle(instance)
        if outcome not in ("ok", "dies", "nothing"):
            await outcomes.end_badly("start", outcome)
        return handle

    async def stop(self, instance: str) -> None:
        weather = await self._called()
        async with self._lock(instance):
            there = await self._there(instance)
            page = self._page()  # only now: another instance may have been noted meanwhile
            record = page.instances.get(instance)
            if record is None or not there:
                await self._processes.stop(instance)
                return
            if record.gone_at is not None:
                return
            outcome = weather.stops[page.stops % len(weather.stops)]
            gone_at = clock.now().wall + weather.stop_takes if outcome == "later" else None
            page = page.model_copy(update={"stops": page.stops + 1})
            self._book.note(page, instance, record.model_copy(update={"gone_at": gone_at}))
            if outcome in ("ok", "lost"):
                await self._processes.stop(instance)
        if outcome not in ("ok", "later", "nothing"):
            await outcomes.end_badly("stop", outcome)

    async def log_tail(self, instance: str, lines: int) -> list[str]:
        return await self._processes.log_tail(instance, lines)

    async def close(self) -> None:
        await self._processes.close()

    async def list(self) -> list[Sighting]:
        weather = await self._called()
        page, now = self._page(), clock.now().wall
        await self._notice_others(page)
        real = await self._processes.list()
        due = {name for name, record in page.instances.items() if (record.gone_at or now) < now}
        if over := [s.instance for s in real if s.instance in due and s.condition is Condition.RUNNING]:
            await asyncio.gather(*map(self._processes.stop, over))
            real = await self._processes.list()
        told = [dated(each, page.instances.get(each.instance)) for each in real]
        seen = [self._played(sighting, page.instances.get(sighting.instance), now) for sighting in told]
        return list(self._late(seen, page, weather.list_lag)) if weather.list_lag else seen

    # --- what is there --------------------------------------------------------------------------

    async def _take_over(self, known: Mapping[str, Handle]) -> None:
        await self._processes.adopt(known)
        self._taken_over = True

    async def _there(self, instance: str) -> Sighting | None:
        """The instance if it exists, be it known to this object or not."""
        if not self._taken_over:
            await self._take_over({})
        for sighting in await self._processes.list():
            if sighting.instance == instance and sighting.condition is not Condition.ABSENT:
                return sighting
        return None

    async def _is_full(self, weather: options.Options) -> bool:
        if weather.capacity is None:
            return False
        there = [s for s in await self._processes.list() if s.condition is not Condition.ABSENT]
        return len(there) >= weather.capacity

    async def _notice_others(self, page: Page) -> None:
        """Another control plane, or another person's, may start things in the same place.

        What was there before the first look is no news: who was configured anew comes when all is over.
        """
        news, self._looked = self._looked, True
        strangers = [n for n, record in page.instances.items() if self._mine.get(n) != record.asked_at]
        if not strangers:
            return
        await self._take_over({})
        for instance in strangers:
            self._mine[instance] = page.instances[instance].asked_at
            if news:
                self._around.note(f"somebody else started {instance}")

    def _played(self, sighting: Sighting, record: Record | None, now: float) -> Sighting:
        """What the place says of an instance that exists, whatever its process does already."""
        if record is None or sighting.condition is not Condition.RUNNING:
            return sighting
        if record.gone_at is not None:
            return replace(sighting, condition=Condition.STOPPING, detail="being stopped")
        if record.asked_at <= now < record.running_at:  # before it was asked for: the clock was set back
            return replace(sighting, condition=Condition.STARTING, detail="being started")
        return sighting

    def _late(self, seen: Iterable[Sighting], page: Page, lag: float) -> Iterator[Sighting]:
        """What was true ``lag`` seconds ago. After a restart of Poorwill endings are told at once."""
        now = clock.now().wall
        for sighting in seen:
            instance, record = sighting.instance, page.instances.get(sighting.instance)
            if sighting.condition is not Condition.ABSENT:
                if record is None or now >= record.asked_at + lag:
                    self._shown[instance] = (sighting, None)
                    yield sighting
                continue
            before, until = self._shown.get(instance, (sighting, 0.0))
            until = now + lag if until is None else until
            self._shown[instance] = (before, until)
            yield before if now < until else sighting

    # --- what is done ---------------------------------------------------------------------------

    async def _called(self) -> options.Options:
        """Every call begins here. Raises what a place that does not answer raises."""
        weather = self._weather.now()
        await asyncio.sleep(weather.call_takes)
        dark = weather.dark
        if weather.dark_every and not dark:
            opened_at = self._page().opened_at
            since = (clock.now().wall - opened_at) % weather.dark_every
            dark = since >= weather.dark_every - weather.dark_for
        if dark:
            raise outcomes.dark()
        return weather

    def _draw(self, weather: options.Options) -> str:
        """The outcome of the next start."""
        page = self._page()
        self._book.write(page.model_copy(update={"starts": page.starts + 1}))
        return weather.starts[page.starts % len(weather.starts)]

    async def _begin(
        self, instance: str, prepared: Mapping[str, Json], weather: options.Options, *, dies: bool
    ) -> Handle:
        now = clock.now().wall
        running_at = now + weather.start_takes
        answers_at = running_at + weather.answers_after
        record = Record(asked_at=now, running_at=running_at, answers_at=answers_at)
        if dies:
            record = record.model_copy(update={"ends_at": running_at, "exit_code": weather.exit_code or 1})
        elif weather.ends_after:
            ends_at = answers_at + weather.ends_after
            record = record.model_copy(update={"ends_at": ends_at, "exit_code": weather.exit_code})
        self._mine[instance] = now
        self._book.note(self._page(), instance, record)
        return await self._processes.start(instance, prepared)

    def _page(self) -> Page:
        page = self._book.read(clock.now().wall)
        if not self._book.file.exists():
            self._book.write(page)
        return page

    def _lock(self, instance: str) -> asyncio.Lock:
        return self._locks.setdefault(instance, asyncio.Lock())
