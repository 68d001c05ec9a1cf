from __future__ import annotations

from tests.providers.conformance import ProviderConformance
from tests.providers.script_place import CANNOT


class TestConformance(ProviderConformance):
    cannot = CANNOT
