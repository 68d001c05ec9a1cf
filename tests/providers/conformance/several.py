"""Several instances of one service: each comes and goes alone, whatever becomes of the others."""

from __future__ import annotations

import asyncio

from tests.providers.conformance.failing import begin_deaf
from tests.providers.conformance.place import Place, needs
from tests.providers.conformance.waiting import DEADLINE, becomes, begin, refused, through_json

from poorwill.core.model import Condition
from poorwill.providers.base import Provider, Sighting


async def _up(provider: Provider) -> dict[str, Sighting]:
    """What runs, by instance; each is reported once."""
    seen = await provider.list()
    names = [sighting.instance for sighting in seen]
    assert len(names) == len(set(names)), f"reported twice: {names}"
    return {one.instance: one for one in seen if one.condition is Condition.RUNNING}


async def _lives(provider: Provider, *instances: str) -> dict[str, str]:
    """The lives of what runs, once these and no others do."""
    async with asyncio.timeout(DEADLINE):
        while (up := await _up(provider)).keys() != set(instances):
            await asyncio.sleep(0.01)
    return {instance: up[instance].life for instance in instances}


async def _start(provider: Provider, instance: str) -> None:
    await provider.start(instance, await provider.prepare(instance))


class Several:
    @needs("several")
    async def test_others_come_and_go_beside_one_that_runs(self, place: Place) -> None:
        a, b, c = place.instances
        provider = place.provider()
        first = (await begin(provider, a)).life
        await asyncio.gather(_start(provider, b), _start(provider, c))
        lives = await _lives(provider, a, b, c)
        assert lives[a] == first
        known = [seen.address for seen in (await _up(provider)).values() if seen.address is not None]
        assert len(known) == len(set(known))
        await _start(provider, b)
        assert await _lives(provider, a, b, c) == lives
        await provider.stop(b)
        assert await _lives(provider, a, c) == {a: lives[a], c: lives[c]}
        await place.crash((await _up(provider))[a])
        await becomes(provider, a, Condition.ABSENT)
        assert await _lives(provider, c) == {c: lives[c]}

    @needs("several")
    async def test_one_goes_while_another_comes(self, place: Place) -> None:
        a, b, _ = place.instances
        provider = place.provider()
        await begin(provider, a)
        await asyncio.gather(provider.stop(a), _start(provider, b))
        await becomes(provider, a, Condition.ABSENT)
        life = await _lives(provider, b)
        await asyncio.gather(_start(provider, a), provider.stop(b))
        await becomes(provider, b, Condition.ABSENT)
        await _lives(provider, a)
        await _start(provider, b)
        assert (await _lives(provider, a, b))[b] != life[b]
        assert not any("somebody" in note for note in place.notes)

    @needs("several")
    async def test_all_are_taken_over(self, place: Place) -> None:
        """One of which the journal knows, and others whose handles never got there."""
        a, b, c = place.instances
        old = place.provider()
        handle = (await begin(old, a)).handle
        await asyncio.gather(_start(old, b), _start(old, c))
        before = await _lives(old, a, b, c)
        await old.close()
        provider = place.provider()
        await provider.adopt({a: through_json(handle)})
        assert await _lives(provider, a, b, c) == before
        await provider.stop(a)
        assert await _lives(provider, b, c) == {b: before[b], c: before[c]}

    @needs("several", "refuse_start")
    async def test_one_that_cannot_be_started_hurts_no_other(self, place: Place) -> None:
        a, b, _ = place.instances
        provider = place.provider()
        await begin_deaf(place, provider, a)
        lives = await _lives(provider, a)
        await place.refuse_start()
        await refused(_start(provider, b))
        await becomes(provider, b, Condition.ABSENT)
        assert await _lives(provider, a) == lives
        await place.mend()
        await begin(provider, b)
        assert (await _lives(provider, a, b))[a] == lives[a]
