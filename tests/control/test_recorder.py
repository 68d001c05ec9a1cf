"""One ordered way into the journal: nothing lost, nothing reordered, whatever the disk does meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.control.virtual_time import in_virtual_time, running, until

from poorwill import clock
from poorwill.control import recorder as recorder_room
from poorwill.control.recorder import Recorder
from poorwill.core.model import Now
from poorwill.errors import StateError
from poorwill.store.journal import Entry, Event, Journal, Kind


class Disk(Journal):
    """A journal without a file. ``takes`` is how long a commit lasts, ``full`` makes it fail."""

    def __init__(self) -> None:
        self.takes = 0.01
        self.full = False
        self.batches: list[tuple[Now, tuple[Entry, ...]]] = []
        self.tries = 0

    async def append(self, now: Now, *entries: Entry) -> list[Event]:
        self.tries += 1
        await asyncio.sleep(self.takes)
        if self.full:
            raise StateError("the disk is full", hint="make room")
        self.batches.append((now, entries))
        return []

    @property
    def reasons(self) -> list[str]:
        return [entry.reason for _, entries in self.batches for entry in entries]


def entry(reason: object) -> Entry:
    return Entry(Kind.PHASE, "notes", reason=str(reason))


@asynccontextmanager
async def recording() -> AsyncIterator[tuple[Recorder, Disk]]:
    disk = Disk()
    recorder = Recorder(disk)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(recorder.run())
        yield recorder, disk
        task.cancel()


@in_virtual_time
async def test_everything_is_written_in_order() -> None:
    async with recording() as (recorder, disk):
        for number in range(200):
            recorder.note(clock.now(), entry(number))
            if number % 7 == 0:
                await asyncio.sleep(0.004)
        assert await recorder.flush(10)
        assert disk.reasons == [str(number) for number in range(200)]


@in_virtual_time
async def test_what_belongs_together_is_committed_together_with_its_own_time() -> None:
    async with recording() as (recorder, disk):
        first, second = clock.now(), clock.now()
        recorder.note(first, entry(1), entry(2))
        recorder.note(first, entry(3))
        recorder.note(second, entry(4))
        assert await recorder.flush(10)
        assert [(at is first, [e.reason for e in entries]) for at, entries in disk.batches] == [
            (True, ["1", "2", "3"]),
            (False, ["4"]),
        ]


@in_virtual_time
async def test_a_commit_returns_when_it_is_on_the_disk_and_everything_before_it_is() -> None:
    async with recording() as (recorder, disk):
        disk.takes = 2.0
        recorder.note(clock.now(), entry("before"))
        begun = running().time()
        await recorder.commit(clock.now(), entry("a"), entry("b"))
        assert disk.reasons == ["before", "a", "b"]
        assert running().time() - begun == pytest.approx(4.0)


@in_virtual_time
async def test_a_note_does_not_wait() -> None:
    async with recording() as (recorder, disk):
        disk.takes = 60.0
        begun = running().time()
        for number in range(1_000):
            recorder.note(clock.now(), entry(number))
        assert running().time() == begun


@in_virtual_time
async def test_a_full_disk_loses_nothing_and_keeps_the_order() -> None:
    async with recording() as (recorder, disk):
        disk.full = True
        recorder.note(clock.now(), entry(1))
        waiting = asyncio.ensure_future(recorder.record(clock.now(), entry(2), within=60))
        await asyncio.sleep(30)
        recorder.note(clock.now(), entry(3))
        assert recorder.trouble == "the disk is full"
        assert not await waiting, "it is not on the disk, and whoever waited for that knows it"
        assert disk.batches == []
        assert 15 <= disk.tries <= 31, "tried again, not in a tight loop"
        disk.full = False
        assert await recorder.flush(5)
        assert disk.reasons == ["1", "2", "the journal could not be written: the disk is full", "3"]
        assert recorder.trouble == ""


@in_virtual_time
async def test_what_has_to_be_on_the_disk_first_is_refused_and_not_written_later() -> None:
    async with recording() as (recorder, disk):
        told: list[str] = []
        recorder.changed = lambda: told.append(recorder.trouble)
        disk.full = True
        recorder.note(clock.now(), entry(1))
        with pytest.raises(StateError, match="the disk is full"):
            await recorder.commit(clock.now(), entry("intent"), entry("more of it"))
        assert told == ["the disk is full"]
        with pytest.raises(StateError):
            await recorder.commit(clock.now(), entry("again"))
        disk.full = False
        assert await recorder.flush(5)
        assert disk.reasons == ["1", "the journal could not be written: the disk is full"]
        assert told == ["the disk is full", ""], "once when it begins, once when it is over"
        await recorder.commit(clock.now(), entry("now"))
        assert disk.reasons[-1] == "now"


@in_virtual_time
async def test_a_disk_that_is_full_for_weeks_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorder_room, "MOST", 100)
    async with recording() as (recorder, disk):
        disk.full = True
        recorder.note(clock.now(), Entry(Kind.STOP, "notes", reason="stop"))
        await asyncio.sleep(1)
        for number in range(1_000):
            recorder.note(clock.now(), entry(number))
        disk.full = False
        assert await recorder.flush(5)
        assert disk.reasons[0] == "stop", "what a restart needs is kept"
        assert 90 <= len(disk.reasons) <= 104
        left_out = 1_001 - sum(reason.isdecimal() for reason in disk.reasons)  # and the one of the trouble
        assert disk.reasons[-1].startswith(f"{left_out} events are not in the journal")
        assert "999" in disk.reasons, "the newest are kept"


@in_virtual_time
async def test_visitors_who_come_all_that_time_do_not_fill_it_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_room, "MOST", 100)
    async with recording() as (recorder, disk):
        disk.full = True
        recorder.note(clock.now(), Entry(Kind.METER, "notes", reason="kwh"))
        await asyncio.sleep(1)
        for number in range(1_000):
            recorder.note(clock.now(), Entry(Kind.USED, "notes", reason=str(number)))
        disk.full = False
        assert await recorder.flush(5)
        assert disk.reasons[0] == "kwh", "what is paid for is kept"
        assert len(disk.reasons) <= 104


@in_virtual_time
async def test_flush_says_when_it_took_too_long() -> None:
    async with recording() as (recorder, disk):
        assert await recorder.flush(0.1), "nothing to write"
        disk.full = True
        recorder.note(clock.now(), entry(1))
        assert not await recorder.flush(5.0)
        disk.full = False
        assert await recorder.flush(5.0)


@in_virtual_time
async def test_who_stops_waiting_does_not_unsay_what_he_said() -> None:
    """A start that ran out of time before its intent was written: the line is written all the same."""
    async with recording() as (recorder, disk):
        disk.takes = 10.0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await recorder.commit(clock.now(), entry("intent"))
        recorder.note(clock.now(), entry("given up"))
        assert await recorder.flush(30)
        assert disk.reasons == ["intent", "given up"]


@in_virtual_time
async def test_what_comes_during_a_write_is_not_counted_as_written_with_it() -> None:
    async with recording() as (recorder, disk):
        now = clock.now()
        recorder.note(now, entry(1))
        await asyncio.sleep(0.005)
        recorder.note(now, entry(2))
        await until(lambda: disk.batches, 1)
        assert disk.reasons == ["1"]
        assert await recorder.flush(5)
        assert disk.reasons == ["1", "2"]
