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


class TestConformanceOfACloud(ProviderConformance):
    """Every call takes its time, stops are accepted and done later, and ``list`` lags behind."""

    @pytest.fixture
    async def place(self, tmp_path: Path) -> AsyncIterator[FakePlace]:
        slow = {"start_takes": "20ms", "stop_takes": "50ms", "list_lag": "40ms", "call_takes": "5ms"}
        place = FakePlace(tmp_path, **slow, stops=["later"])
        yield place
        await place.close()
