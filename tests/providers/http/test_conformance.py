from __future__ import annotations

from tests.providers.conformance import ProviderConformance
from tests.providers.http.place import CANNOT


class TestAutoDL(ProviderConformance):
    cannot = CANNOT


class TestVast(ProviderConformance):
    cannot = CANNOT
    dialect_of_the_cloud = "vast"


class TestHyperstack(ProviderConformance):
    cannot = CANNOT
    dialect_of_the_cloud = "hyperstack"
