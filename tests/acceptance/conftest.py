"""The real program for each test or for each file of tests; afterwards nothing of it may be left running."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.acceptance.lives import New, beginning
from tests.acceptance.running import Json, Up
from tests.acceptance.stories import Story, Told, chosen, told

Start = Callable[..., Awaitable[Up]]


@pytest.fixture
async def up(tmp_path: Path) -> AsyncIterator[Start]:
    """``await up({name: service, …}, key=value)`` starts a gateway of the test's own."""
    async with starting(tmp_path) as start:
        yield start


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Start]:
    """The same for a whole file; its tests need ``pytest.mark.asyncio(loop_scope="module")``."""
    async with starting(tmp_path_factory.mktemp("up")) as start:
        yield start


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def apart(request: pytest.FixtureRequest, folder: Callable[[], Path]) -> AsyncIterator[Told]:
    """The stories of a file, a few at a time; what each may ask for is ``up`` and ``tmp_path`` of its own."""
    stories = [_alone(story, folder) for story in chosen(request)]
    async for tasks in told(stories, at_once=3):
        yield tasks


@pytest.fixture(scope="module")
def new(folder: Callable[[], Path]) -> New:
    """``async with new("--startup", "1", idle_after="30s") as gateway`` has a folder of its own."""
    return beginning(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes a fresh one at each call."""
    return lambda: tmp_path_factory.mktemp("life")


def _alone(story: Story, folder: Callable[[], Path]) -> Story:
    @functools.wraps(story)
    async def tell() -> None:
        place = folder()
        async with starting(place) as start:
            given = {"up": start, "tmp_path": place}
            await story(**{name: given[name] for name in inspect.signature(story).parameters})

    return tell


@contextlib.asynccontextmanager
async def starting(folder: Path) -> AsyncIterator[Start]:
    """``async with starting(folder) as up``: all that ``up`` started is put down in the end."""
    begun: list[Up] = []

    async def start(
        services: Callable[[Path], dict[str, Json]] | dict[str, Json],
        variables: dict[str, str] | None = None,
        **top: Any,
    ) -> Up:
        listed = services(folder) if callable(services) else services
        made = Up(folder, listed, top=top, variables=variables or {})
        begun.append(made)
        await made.start()
        return made

    try:
        yield start
        for made in begun:
            await made.finish()
    finally:
        for made in begun:
            await made.wipe()
