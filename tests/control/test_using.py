"""From what visitors did to lines in the journal, in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.control.virtual_time import BEGIN, WALL, in_virtual_time, running

from poorwill.control.facts import Facts
from poorwill.control.using import Using
from poorwill.core.model import Service
from poorwill.core.stretch import Stretch, stretch_from
from poorwill.core.using import Use


class Visitors:
    """``late`` is what only the last reading shows."""

    def __init__(self) -> None:
        self.uses: dict[str, Use] = {}
        self.late: dict[str, Use] = {}
        self.memory: dict[str, float] = {}
        self.lines: list[Stretch] = []
        self.using = Using(self, self.memory.get)  # type: ignore[arg-type]

    def note(self, _: object, entry: Any) -> None:
        self.lines.append(stretch_from(entry.service, entry.detail))

    def use(self, service: str) -> Use:
        return self.uses.pop(service, Use())

    async def catch_up(self) -> None:
        self.uses |= self.late

    def come(self, service: str, count: int = 1) -> None:
        now = running().time()
        self.uses[service] = Use(count, now, now)


def facts(name: str, *, has_door: bool = True) -> Facts:
    return Facts(Service(name), None, None, {}, has_door=has_door)  # type: ignore[arg-type]


@in_virtual_time
async def test_stretches_are_written_when_they_are_over_and_when_the_program_leaves() -> None:
    visitors = Visitors()
    services = {"notes": facts("notes"), "chat": facts("chat"), "job": facts("job", has_door=False)}
    visitors.come("job")
    task = asyncio.get_running_loop().create_task(visitors.using.run(services, visitors))
    await asyncio.sleep(5.0)
    visitors.come("notes", 2)
    visitors.memory["notes"] = 2.0e9
    await asyncio.sleep(30.0)
    visitors.memory["notes"] = 1.5e9
    visitors.come("notes")
    await asyncio.sleep(59.0)
    assert visitors.lines == []
    await asyncio.sleep(3.0)
    at = WALL + 5.0
    assert visitors.lines == [Stretch("notes", at, at + 30, 3, gpu_memory=2_000_000_000)]
    visitors.memory.clear()
    visitors.come("chat")
    await asyncio.sleep(2.0)
    now = running().time()
    visitors.late["notes"] = Use(4, now, now)
    await visitors.using.end()
    await visitors.using.end()
    assert visitors.lines[1:] == [
        Stretch("chat", WALL + now - BEGIN - 2, WALL + now - BEGIN - 2, 1),
        Stretch("notes", WALL + now - BEGIN, WALL + now - BEGIN, 4),
    ]
    await asyncio.wait_for(task, 5.0)


@in_virtual_time
async def test_what_is_known_of_a_service_that_is_removed_is_written() -> None:
    visitors, services = Visitors(), {"notes": facts("notes")}
    task = asyncio.get_running_loop().create_task(visitors.using.run(services, visitors))
    visitors.come("notes")
    await asyncio.sleep(2.0)
    services.clear()
    await asyncio.sleep(2.0)
    assert [one.requests for one in visitors.lines] == [1]
    await visitors.using.end()
    await task
    assert len(visitors.lines) == 1


async def test_before_it_began_there_is_nothing_to_end() -> None:
    visitors = Visitors()
    await visitors.using.end()
    assert visitors.lines == []
