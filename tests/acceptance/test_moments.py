"""Killed at the worst moments of a wake and of a sleep: nothing is lost, started twice or forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.acceptance.lives import New, ask, asking, falls_asleep, history, kill_then_answers_then_sleeps
from tests.acceptance.running import host, until
from tests.acceptance.stories import Story, Told, chosen, name_of, told

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def killed_when_the_start_was_just_decided(new: New) -> None:
    async with new("--startup", "0.5") as gateway:
        asked = asking(gateway, 4)
        await until(lambda: gateway.events("it", "start"), "the start is written down", every=0.001)
        await kill_then_answers_then_sleeps(gateway, asked, starts=1)


async def killed_when_the_child_was_just_born(new: New) -> None:
    async with new("--startup", "0.5") as gateway:
        asked = asking(gateway, 4)
        await until(lambda: gateway.seen("it"), "the child runs", every=0.001)
        await kill_then_answers_then_sleeps(gateway, asked, starts=1)


async def killed_when_it_was_just_ready(new: New) -> None:
    async with new() as gateway:
        asked = asking(gateway, 4)
        await until(lambda: "GET /ready" in gateway.seen("it"), "it was asked", every=0.001)
        await kill_then_answers_then_sleeps(gateway, asked, starts=1)


async def killed_while_draining(new: New) -> None:
    async with new(drain="20s") as gateway:
        long = asyncio.create_task(gateway.client().get("/?seconds=8", headers=host("it")))
        await gateway.until_phase("it", "draining")
        await kill_then_answers_then_sleeps(gateway, asking(gateway, 4), starts=1)
        assert (await long).status_code == 200


async def killed_while_stopping(new: New) -> None:
    async with new("--linger", "1.5") as gateway:
        await asking(gateway, 1)
        # Before that line it has not been stopped yet, and the next control plane rightly calls it off.
        await until(lambda: gateway.events("it", "stop"), "the stop is written down", every=0.001)
        await kill_then_answers_then_sleeps(gateway, asking(gateway, 4), starts=2)


async def killed_while_stopping_and_nobody_asks(new: New) -> None:
    async with new("--linger", "1.5") as gateway:
        await asking(gateway, 1)
        await until(lambda: gateway.events("it", "stop"), "the stop is written down", every=0.001)
        gateway.kill9()
        await gateway.start()
        await gateway.until_phase("it", "asleep")
        assert gateway.starts("it") == 1
        assert gateway.children() == []


async def killed_again_and_again(new: New) -> None:
    """At moments spread over a whole wake, with somebody asking all the time."""
    async with new("--startup", "0.3", idle_after="60s") as gateway:
        client, done = gateway.client(), False

        async def insist() -> None:
            number = 0
            while not done or number < 6:
                await ask(client, number)
                number += 1
                await asyncio.sleep(0.05)

        insisting = asyncio.create_task(insist())
        for after in (0.0, 0.1, 0.25, 0.45, 0.8):
            await asyncio.sleep(after)  # not to wait for something, but to hit another moment
            gateway.kill9()
            await gateway.start()
        done = True
        await insisting
        assert gateway.starts("it") == 1, history(gateway)
        await falls_asleep(gateway)
        assert gateway.children() == []


async def killed_while_it_starts_envoy(new: New) -> None:
    """Whatever was written down of the new Envoy: the next start serves, with one Envoy."""
    async with new() as gateway:
        for attempt in range(4):
            await gateway.interrupt()
            assert gateway.left() == []
            gateway.process = gateway.spawn()
            await until(gateway.envoys, "envoy was started", every=0.001)
            await asyncio.sleep(attempt * 0.01)  # not to wait for something, but to hit another moment
            gateway.kill9()
            await gateway.start()
            assert len(gateway.envoys()) == 1
            await asking(gateway, 2)


STORIES: list[Story] = [
    killed_when_the_start_was_just_decided,
    killed_when_the_child_was_just_born,
    killed_when_it_was_just_ready,
    killed_while_draining,
    killed_while_stopping,
    killed_while_stopping_and_nobody_asks,
    killed_again_and_again,
    killed_while_it_starts_envoy,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stories(request: pytest.FixtureRequest, new: New) -> AsyncIterator[Told]:
    async for tasks in told(chosen(request), new, at_once=4):
        yield tasks


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, stories: Told) -> None:
    await stories[story.__name__]
