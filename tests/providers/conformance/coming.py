"""Starting, stopping, and doing either twice."""

from __future__ import annotations

import asyncio

from tests.providers.conformance.heartbeat import steady
from tests.providers.conformance.place import Place, needs
from tests.providers.conformance.waiting import becomes, begin, hears_hello

from poorwill.core.model import Condition


class Coming:
    async def test_nothing_is_there_at_first(self, place: Place) -> None:
        provider = place.provider()
        await provider.adopt({})
        assert [s for s in await provider.list() if s.condition is not Condition.ABSENT] == []

    async def test_starts_and_stops(self, place: Place) -> None:
        provider = place.provider()
        sighting = await begin(provider, "a")
        assert sighting.life
        await provider.stop("a")
        await becomes(provider, "a", Condition.ABSENT)

    async def test_nothing_blocks_the_loop(self, place: Place) -> None:
        provider = place.provider()
        async with steady():
            await provider.adopt({})
            await begin(provider, "a")
            await provider.log_tail("a", 5)
            await provider.stop("a")
            await becomes(provider, "a", Condition.ABSENT)
            await provider.close()

    async def test_started_twice_is_one(self, place: Place) -> None:
        provider = place.provider()
        first = await begin(provider, "a")
        await provider.start("a", await provider.prepare("a"))
        assert (await becomes(provider, "a", Condition.RUNNING)).life == first.life

    async def test_started_twice_at_once_is_one(self, place: Place) -> None:
        provider = place.provider()
        prepared = await provider.prepare("a")
        handles = await asyncio.gather(*(provider.start("a", prepared) for _ in range(3)))
        assert handles[0] == handles[1] == handles[2]

    async def test_each_life_has_its_name(self, place: Place) -> None:
        provider = place.provider()
        first = await begin(provider, "a")
        await provider.stop("a")
        await becomes(provider, "a", Condition.ABSENT)
        assert (await begin(provider, "a")).life != first.life

    async def test_stopping_what_is_absent_is_fine(self, place: Place) -> None:
        provider = place.provider()
        await provider.stop("never-was")
        await begin(provider, "a")
        await asyncio.gather(provider.stop("a"), provider.stop("a"))
        await becomes(provider, "a", Condition.ABSENT)
        await provider.stop("a")

    @needs("log")
    async def test_shows_what_was_printed(self, place: Place) -> None:
        provider = place.provider()
        assert await provider.log_tail("never-was", 5) == []
        await begin(provider, "a")
        await hears_hello(provider, "a")
        assert len(await provider.log_tail("a", 1)) == 1
        assert await provider.log_tail("a", 0) == []
