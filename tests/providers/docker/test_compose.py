from __future__ import annotations

import pytest
from tests.providers.conformance import ProviderConformance
from tests.providers.docker_place import ComposePlace


@pytest.mark.slow
class TestConformance(ProviderConformance):
    @pytest.fixture
    def place(self, compose_place: ComposePlace) -> ComposePlace:
        return compose_place
