"""Calls that take long, fail, hang, or are given up in the middle; and a place that does not answer."""

from __future__ import annotations

import asyncio

import pytest
from tests.providers.conformance.heartbeat import steady
from tests.providers.conformance.place import Place, needs
from tests.providers.conformance.waiting import (
    DEADLINE,
    becomes,
    begin,
    condition_of,
    cut_off,
    end,
    hears_hello,
    refused,
    sees,
    sighted,
    stays_away,
)

from poorwill.core.model import Condition
from poorwill.providers.base import Provider, Sighting

SLOW = 1.0
"""Seconds of a slow start."""

PATIENCE = 0.3
"""Seconds after which a call that hangs is given up."""

MOMENTS = pytest.mark.parametrize("moment", [0.0, 0.005, 0.05])
"""Seconds after which a call is cancelled, as a deadline of the control room does."""


async def _gets_dark(provider: Provider) -> None:
    """Until ``list`` raises it may go on saying what it knew, and nothing else."""
    async with asyncio.timeout(DEADLINE):
        while not await refused(looking := asyncio.ensure_future(condition_of(provider, "a"))):
            assert looking.result() is not Condition.ABSENT
            await asyncio.sleep(0.01)


async def begin_deaf(place: Place, provider: Provider, instance: str = "a") -> Sighting:
    """Begin one that will not listen to a stop: a real program learns not to a moment after it runs."""
    seen = await begin(provider, instance)
    if "log" in place.abilities:
        await hears_hello(provider, instance)
    return seen


async def _start(provider: Provider) -> object:
    return await provider.start("a", await provider.prepare("a"))


class Failing:
    @needs("slow")
    async def test_a_slow_start_is_waited_for(self, place: Place) -> None:
        await place.slow_start(SLOW)
        provider, loop = place.provider(), asyncio.get_running_loop()
        begun_at, seen = loop.time(), set()
        async with steady(), asyncio.timeout(DEADLINE):
            starting = asyncio.create_task(_start(provider))
            while Condition.RUNNING not in seen:
                seen.add(await condition_of(provider, "a"))
                await asyncio.sleep(0.01)
            took = loop.time() - begun_at
            await starting
        assert took >= 0.9 * SLOW
        assert seen <= {Condition.ABSENT, Condition.STARTING, Condition.RUNNING}

    @needs("slow")
    async def test_a_slow_start_can_be_called_off(self, place: Place) -> None:
        await place.slow_start(SLOW)
        provider = place.provider()
        await cut_off(asyncio.create_task(_start(provider)), SLOW / 4)
        await end(provider, "a")
        await stays_away(provider, "a", SLOW)

    @needs("refuse_start")
    async def test_a_start_that_fails_says_why(self, place: Place) -> None:
        await place.refuse_start()
        provider = place.provider()
        if await refused(_start(provider)) is None:
            await sees(
                provider,
                "a",
                lambda seen: seen.condition is Condition.ABSENT and seen.detail != "",
                "absent, with a word why",
            )
        await becomes(provider, "a", Condition.ABSENT)
        await place.mend()
        await begin(provider, "a")

    @needs("refuse_stop")
    async def test_a_stop_that_fails_leaves_it_there(self, place: Place) -> None:
        await place.refuse_stop()
        provider = place.provider()
        first = await begin_deaf(place, provider)
        await refused(provider.stop("a"))
        seen = await sighted(provider, "a")
        assert seen is not None
        assert seen.condition is not Condition.ABSENT
        assert seen.life == first.life
        await place.mend()
        await end(provider, "a")

    @needs("hang_stop")
    async def test_a_stop_that_hangs_can_be_given_up(self, place: Place) -> None:
        await place.hang_stop()
        provider = place.provider()
        await begin_deaf(place, provider)
        async with steady():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await provider.stop("a")
            assert await condition_of(provider, "a") is not Condition.ABSENT
        await place.mend()
        await end(provider, "a")

    @MOMENTS
    async def test_a_start_that_was_cancelled_can_be_made_again(self, place: Place, moment: float) -> None:
        provider = place.provider()
        await cut_off(asyncio.create_task(_start(provider)), moment)
        await provider.list()
        await begin(provider, "a")

    @MOMENTS
    async def test_a_start_that_was_cancelled_can_be_undone(self, place: Place, moment: float) -> None:
        provider = place.provider()
        await cut_off(asyncio.create_task(_start(provider)), moment)
        await end(provider, "a")

    @MOMENTS
    async def test_a_stop_that_was_cancelled_can_be_made_again(self, place: Place, moment: float) -> None:
        provider = place.provider()
        await begin(provider, "a")
        await cut_off(asyncio.create_task(provider.stop("a")), moment)
        await provider.list()
        await end(provider, "a")
        await begin(provider, "a")

    @needs("dark")
    async def test_not_to_know_is_not_absence(self, place: Place) -> None:
        provider = place.provider()
        first = await begin(provider, "a")
        await place.go_dark()
        async with steady():
            await _gets_dark(provider)
        await place.mend()
        assert (await becomes(provider, "a", Condition.RUNNING)).life == first.life

    @needs("dark")
    async def test_after_a_restart_not_to_know_is_not_absence_either(self, place: Place) -> None:
        provider = place.provider()
        first = await begin(provider, "a")
        await provider.close()
        await place.go_dark()
        restarted = place.provider()
        await refused(restarted.adopt({}))
        assert await refused(restarted.list()), "list must fail"
        await place.mend()
        await restarted.adopt({})
        assert (await becomes(restarted, "a", Condition.RUNNING)).life == first.life
