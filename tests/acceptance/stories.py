"""Tests that mostly wait are told at the same time: each is a coroutine, begun with all others of its file.

A file lists its stories and has one parametrised test that waits for each; a failure is that test's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import pytest

Story = Callable[..., Coroutine[Any, Any, None]]
Told = dict[str, "asyncio.Task[None]"]


def chosen(request: pytest.FixtureRequest) -> list[Story]:
    """The stories of this file that are really going to be waited for."""
    items = [item for item in request.session.items if item.path == request.path]
    return [item.callspec.params["story"] for item in items if hasattr(item, "callspec")]


async def told(stories: Sequence[Story], *given: Any, at_once: int = 100) -> AsyncIterator[Told]:
    """For a fixture: begins all stories with what is given to each, but only so many at once."""
    room = asyncio.Semaphore(at_once)

    async def tell(story: Story) -> None:
        async with room:
            await story(*given)

    tasks = {story.__name__: asyncio.create_task(tell(story)) for story in stories}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


def name_of(story: Story) -> str:
    return story.__name__
