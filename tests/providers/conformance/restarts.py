"""The control plane dies in the middle of something, and another one takes over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from tests.providers.conformance.failing import PATIENCE, SLOW, begin_deaf
from tests.providers.conformance.place import Place, needs
from tests.providers.conformance.waiting import becomes, begin, condition_of, cut_off, end, through_json

from poorwill.core.model import Condition
from poorwill.providers.base import Handle, Provider

JOURNALLED = pytest.mark.parametrize("journalled", [True, False], ids=["handle-known", "handle-lost"])
"""Whether the handle had reached the journal."""


async def _restart(
    place: Place, old: Provider, handle: Handle | None = None, *, journalled: bool = True
) -> Provider:
    await old.close()
    provider = place.provider()
    known: Mapping[str, Handle] = {}
    if journalled and handle is not None:
        known = {handle.instance: through_json(handle)}
    await provider.adopt(known)
    return provider


class Restarts:
    @needs("slow")
    @JOURNALLED
    async def test_restarted_while_it_starts(self, place: Place, journalled: bool) -> None:
        await place.slow_start(SLOW)
        old = place.provider()
        starting = asyncio.create_task(old.start("a", await old.prepare("a")))
        if journalled:
            await asyncio.wait([starting])
        else:
            await cut_off(starting, SLOW / 4)
        restarted = await _restart(place, old, starting.result() if journalled else None)
        await restarted.start("a", await restarted.prepare("a"))
        await becomes(restarted, "a", Condition.RUNNING)
        assert len([s for s in await restarted.list() if s.condition is not Condition.ABSENT]) == 1
        await end(restarted, "a")

    async def test_a_start_after_a_restart_finds_the_one_that_runs(self, place: Place) -> None:
        first = await begin(place.provider(), "a")
        restarted = place.provider()
        await restarted.start("a", await restarted.prepare("a"))
        assert (await becomes(restarted, "a", Condition.RUNNING)).life == first.life

    async def test_closing_leaves_instances_alone(self, place: Place) -> None:
        provider = place.provider()
        first = await begin(provider, "a")
        restarted = await _restart(place, provider, first.handle)
        found = await becomes(restarted, "a", Condition.RUNNING)
        assert (found.life, found.address, found.values) == (first.life, first.address, first.values)

    async def test_takes_over_what_was_never_journalled(self, place: Place) -> None:
        first = await begin(place.provider(), "a")
        restarted = place.provider()
        await restarted.adopt({})
        found = await becomes(restarted, "a", Condition.RUNNING)
        assert (found.life, found.address) == (first.life, first.address)
        await restarted.stop("a")
        await becomes(restarted, "a", Condition.ABSENT)

    async def test_an_old_handle_is_not_believed(self, place: Place) -> None:
        provider = place.provider()
        first = await begin(provider, "a")
        await provider.stop("a")
        await becomes(provider, "a", Condition.ABSENT)
        restarted = place.provider()
        await restarted.adopt({"a": through_json(first.handle)})
        await becomes(restarted, "a", Condition.ABSENT)

    async def test_taken_over_twice_is_one(self, place: Place) -> None:
        first = await begin(place.provider(), "a")
        restarted = place.provider()
        await restarted.adopt({"a": through_json(first.handle)})
        await restarted.adopt({})
        assert (await becomes(restarted, "a", Condition.RUNNING)).life == first.life

    @JOURNALLED
    async def test_restarted_while_it_stops(self, place: Place, journalled: bool) -> None:
        old = place.provider()
        first = await begin(old, "a")
        await cut_off(asyncio.create_task(old.stop("a")), 0)
        restarted = await _restart(place, old, first.handle, journalled=journalled)
        await end(restarted, "a")
        assert (await begin(restarted, "a")).life != first.life

    @needs("hang_stop")
    @JOURNALLED
    async def test_restarted_while_a_stop_hangs(self, place: Place, journalled: bool) -> None:
        await place.hang_stop()
        old = place.provider()
        first = await begin_deaf(place, old)
        await cut_off(asyncio.create_task(old.stop("a")), PATIENCE)
        restarted = await _restart(place, old, first.handle, journalled=journalled)
        assert await condition_of(restarted, "a") is not Condition.ABSENT
        await place.mend()
        await end(restarted, "a")

    @JOURNALLED
    async def test_crashed_while_nobody_looked(self, place: Place, journalled: bool) -> None:
        old = place.provider()
        first = await begin(old, "a")
        await old.close()
        await place.crash(first)
        restarted = await _restart(place, old, first.handle, journalled=journalled)
        await becomes(restarted, "a", Condition.ABSENT)
        assert (await begin(restarted, "a")).life != first.life

    @needs("stop_outside")
    async def test_stopped_by_somebody_else_while_nobody_looked(self, place: Place) -> None:
        old = place.provider()
        first = await begin(old, "a")
        await old.close()
        await place.stop_outside(first)
        restarted = await _restart(place, old, first.handle)
        await becomes(restarted, "a", Condition.ABSENT)
        assert (await begin(restarted, "a")).life != first.life
