"""How much of the processor and of the memory a container uses."""

from __future__ import annotations

import asyncio

import pytest
from tests.patience import PATIENCE
from tests.providers.conformance.waiting import begin
from tests.providers.docker_place import DockerPlace


@pytest.mark.parametrize(("command", "works"), [("while :; do :; done", True), ("exec sleep 1000", False)])
async def test_the_processor_time_it_has_used(docker_place: DockerPlace, command: str, works: bool) -> None:
    docker_place.create("a", "--stop-signal", "KILL", command=command)
    provider = docker_place.provider()
    await begin(provider, "a")
    before = await provider.cpu_seconds("a")
    async with asyncio.timeout(PATIENCE):
        while (used := await provider.cpu_seconds("a") - before) < 0.3 and works:
            await asyncio.sleep(0.1)
    assert used >= 0.3 if works else used < 0.1


async def test_the_memory_it_holds(docker_place: DockerPlace) -> None:
    docker_place.create("a", "--stop-signal", "KILL", command="x=$(seq 1 2000000); sleep 1000; true")
    provider = docker_place.provider()
    await begin(provider, "a")
    async with asyncio.timeout(PATIENCE):
        while (held := await provider.memory_bytes("a")) < 10e6:
            await asyncio.sleep(0.1)
    assert held < 1e9
