from __future__ import annotations

import pytest
from tests.providers.conformance import ProviderConformance
from tests.providers.docker_place import DockerPlace


class TestConformance(ProviderConformance):
    @pytest.fixture
    def place(self, docker_place: DockerPlace) -> DockerPlace:
        docker_place.create("a")
        docker_place.create("b")
        return docker_place


class TestConformanceWithPause(TestConformance):
    @pytest.fixture
    def place(self, docker_place: DockerPlace) -> DockerPlace:
        docker_place.options = {**docker_place.options, "stop": "pause"}
        docker_place.create("a")
        docker_place.create("b")
        return docker_place


class TestConformanceWithKill(TestConformance):
    @pytest.fixture
    def place(self, docker_place: DockerPlace) -> DockerPlace:
        docker_place.options = {**docker_place.options, "stop": "kill"}
        docker_place.create("a")
        docker_place.create("b")
        return docker_place
