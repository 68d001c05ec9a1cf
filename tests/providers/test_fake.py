from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.providers.conformance import ProviderConformance
from tests.providers.fake_place import FakePlace


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[FakePlace]:
    place = FakePlace(tmp_path)
    yield place
    await place.close()


class TestConformance(ProviderConformance):
    pass
