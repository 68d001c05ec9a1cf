from __future__ import annotations

from typing import ClassVar

import pytest
from tests.providers.conformance import ProviderConformance
from tests.providers.docker_place import ComposePlace


@pytest.mark.slow
class TestConformance(ProviderConformance):
    cannot: ClassVar = {"several": "on their host's network all have one port; see test_scaled"}

    @pytest.fixture
    def place(self, compose_place: ComposePlace) -> ComposePlace:
        return compose_place
