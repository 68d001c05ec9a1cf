from __future__ import annotations

from tests.providers.conformance import ProviderConformance


class TestConformance(ProviderConformance):
    pass
