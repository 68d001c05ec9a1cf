"""Fixtures of the tests with a real Docker Engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.docker_engine import DockerEngine
from tests.providers.docker_place import ComposePlace, CopiedPlace, DockerPlace, ScaledPlace


@pytest.fixture
async def docker_place(docker_engine: DockerEngine, tmp_path: Path) -> AsyncIterator[DockerPlace]:
    place = DockerPlace(docker_engine, tmp_path)
    await place.open()
    yield place
    await place.close()


@pytest.fixture
async def compose_place(
    docker_engine: DockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ComposePlace]:
    for name, value in docker_engine.environment.items():
        monkeypatch.setenv(name, value)
    place = ComposePlace(docker_engine, tmp_path)
    await place.open()
    yield place
    await place.close()


@pytest.fixture
async def scaled_place(
    docker_engine: DockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ScaledPlace]:
    for name, value in docker_engine.environment.items():
        monkeypatch.setenv(name, value)
    place = ScaledPlace(docker_engine, tmp_path)
    await place.open()
    yield place
    await place.close()


@pytest.fixture
async def copied_place(docker_engine: DockerEngine, tmp_path: Path) -> AsyncIterator[CopiedPlace]:
    place = CopiedPlace(docker_engine, tmp_path)
    await place.open()
    yield place
    await place.close()
