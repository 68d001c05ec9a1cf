"""A journal in a fresh folder, and a moment to write at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from poorwill.core.model import Now
from poorwill.store.journal import Journal


@pytest.fixture
def now() -> Now:
    return Now(wall=1_800_000_000.25, mono=12.5, boot="boot-1")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(tmp_path / "state")
    yield opened
    await opened.close()
