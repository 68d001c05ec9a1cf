"""Fixtures of the HTTP provider's tests: a fake cloud in each dialect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.providers.http.cloud import FakeCloud
from tests.providers.http.place import HttpPlace


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    """The dialect of a test class, when it names one."""
    return getattr(request.cls, "dialect_of_the_cloud", "autodl")


@pytest.fixture
async def fake(dialect: str) -> AsyncIterator[FakeCloud]:
    async with FakeCloud(dialect) as fake:
        yield fake


@pytest.fixture
async def place(tmp_path: Path, fake: FakeCloud, dialect: str) -> AsyncIterator[HttpPlace]:
    place = HttpPlace(tmp_path, fake, dialect)
    yield place
    await place.close()
