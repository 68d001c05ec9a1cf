from __future__ import annotations

import pytest
from tests.providers.conformance import ProviderConformance
from tests.providers.http.cloud import FakeCloud, Weather
from tests.providers.http.place import CANNOT


class TestAutoDL(ProviderConformance):
    cannot = CANNOT


class TestVast(ProviderConformance):
    cannot = CANNOT
    dialect_of_the_cloud = "vast"


class TestHyperstack(ProviderConformance):
    cannot = CANNOT
    dialect_of_the_cloud = "hyperstack"


@pytest.mark.slow
class TestOnABadDay(ProviderConformance):
    """Nothing is quick, and what is told is old."""

    cannot = CANNOT

    @pytest.fixture(autouse=True)
    def _bad_day(self, fake: FakeCloud) -> None:
        fake.usual = Weather(start_takes=0.1, stop_takes=0.1, lag=0.1, ignores_stop_while_starting=True)
        fake.mend()
