"""Fixtures of the command provider's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.providers.script_place import ScriptPlace, impatient

__all__ = ["impatient"]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[ScriptPlace]:
    place = ScriptPlace(tmp_path)
    yield place
    await place.close()
