"""Fixtures of the process provider's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.providers.process_place import ProcessPlace


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[ProcessPlace]:
    place = ProcessPlace(tmp_path)
    yield place
    await place.close()
