"""The real program for each test or for each file of tests; afterwards nothing of it may be left running."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.acceptance.lives import New, beginning
from tests.acceptance.running import Json, Up

Start = Callable[..., Awaitable[Up]]


@pytest.fixture
async def up(tmp_path: Path) -> AsyncIterator[Start]:
    """``await up({name: service, …}, key=value)`` starts a gateway of the test's own."""
    async for start in _starting(tmp_path):
        yield start


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Start]:
    """The same for a whole file; its tests need ``pytest.mark.asyncio(loop_scope="module")``."""
    async for start in _starting(tmp_path_factory.mktemp("up")):
        yield start


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> New:
    """``async with new("--startup", "1", idle_after="30s") as gateway`` has a folder of its own."""
    return beginning(lambda: tmp_path_factory.mktemp("life"))


async def _starting(folder: Path) -> AsyncIterator[Start]:
    begun: list[Up] = []

    async def start(services: Callable[[Path], dict[str, Json]] | dict[str, Json], **top: Any) -> Up:
        made = Up(folder, services(folder) if callable(services) else services, top=top)
        begun.append(made)
        await made.start()
        return made

    yield start
    for made in begun:
        try:
            await made.finish()
        finally:
            await made.wipe()
