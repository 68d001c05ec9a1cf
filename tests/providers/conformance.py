"""What every provider must do, whatever it runs instances on. A provider's own tests inherit the class."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Protocol

import pytest
from pydantic import BaseModel, ValidationError

from poorwill.core.model import Condition
from poorwill.providers.base import Handle, Provider, Sighting

DEADLINE = 20.0
"""Seconds after which a test gives up waiting. Long, because the machines are shared; never slept through."""


class Place(Protocol):
    """One service in one kind of place, as the suite needs it.

    Its instances must print a line with the word ``hello`` when they start and then run until stopped.
    """

    changes: int
    """How often a provider of this place called ``changed``."""

    def provider(self) -> Provider:
        """A new provider object for the same service, as a restarted control plane would build it."""

    async def crash(self, sighting: Sighting) -> None:
        """Make a running instance end without asking its provider."""


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something outside asyncio."""
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.01)
    assert condition(), what


async def sighted(provider: Provider, instance: str) -> Sighting | None:
    found = [sighting for sighting in await provider.list() if sighting.instance == instance]
    assert len(found) <= 1
    return found[0] if found else None


async def becomes(provider: Provider, instance: str, condition: Condition) -> Sighting:
    """Wait until the provider reports the condition; never listed counts as absent."""
    last = None
    try:
        async with asyncio.timeout(DEADLINE):
            while True:
                last = await sighted(provider, instance)
                if last is None and condition is Condition.ABSENT:
                    return Sighting(instance, Condition.ABSENT)
                if last is not None and last.condition is condition:
                    return last
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"{instance} did not become {condition}: {last}")


async def begin(provider: Provider, instance: str) -> Sighting:
    await provider.start(instance, await provider.prepare(instance))
    return await becomes(provider, instance, Condition.RUNNING)


def through_json(handle: Handle | None) -> Handle:
    """The handle as the journal gives it back."""
    assert handle is not None
    return Handle(handle.instance, json.loads(json.dumps(dict(handle.data))))


class ProviderConformance:
    """Needs a fixture ``place``, which also clears away whatever a failed test left running."""

    def test_says_what_it_accepts(self, place: Place) -> None:
        model = place.provider().Options
        assert issubclass(model, BaseModel)
        assert json.dumps(model.model_json_schema())
        with pytest.raises(ValidationError, match="no_such_key"):
            model.model_validate({"no_such_key": 1})

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

    async def test_what_is_prepared_and_handled_survives_json(self, place: Place) -> None:
        provider = place.provider()
        prepared = json.loads(json.dumps(dict(await provider.prepare("a"))))
        handle = await provider.start("a", prepared)
        assert through_json(handle) == handle

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

    async def test_a_start_after_a_restart_finds_the_one_that_runs(self, place: Place) -> None:
        first = await begin(place.provider(), "a")
        restarted = place.provider()
        await restarted.start("a", await restarted.prepare("a"))
        assert (await becomes(restarted, "a", Condition.RUNNING)).life == first.life

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

    async def test_instances_do_not_touch_each_other(self, place: Place) -> None:
        provider = place.provider()
        await begin(provider, "a")
        other = await begin(provider, "b")
        await provider.stop("a")
        await becomes(provider, "a", Condition.ABSENT)
        assert (await becomes(provider, "b", Condition.RUNNING)).life == other.life

    async def test_a_crash_is_told(self, place: Place) -> None:
        provider = place.provider()
        sighting = await begin(provider, "a")
        before = place.changes
        await place.crash(sighting)
        await until(lambda: place.changes > before, "changed was called")
        assert (await becomes(provider, "a", Condition.ABSENT)).detail

    async def test_a_crashed_one_starts_again(self, place: Place) -> None:
        provider = place.provider()
        first = await begin(provider, "a")
        await place.crash(first)
        await becomes(provider, "a", Condition.ABSENT)
        assert (await begin(provider, "a")).life != first.life

    async def test_closing_leaves_instances_alone(self, place: Place) -> None:
        provider = place.provider()
        first = await begin(provider, "a")
        await provider.close()
        restarted = place.provider()
        await restarted.adopt({"a": through_json(first.handle)})
        found = await becomes(restarted, "a", Condition.RUNNING)
        assert (found.life, found.address) == (first.life, first.address)

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

    async def test_shows_what_was_printed(self, place: Place) -> None:
        provider = place.provider()
        assert await provider.log_tail("never-was", 5) == []
        await begin(provider, "a")
        lines: list[str] = []
        async with asyncio.timeout(DEADLINE):
            while not any("hello" in line for line in lines):
                lines = await provider.log_tail("a", 5)
                await asyncio.sleep(0.01)
        assert len(await provider.log_tail("a", 1)) == 1
        assert await provider.log_tail("a", 0) == []
