"""What a machine starts by itself is there from our start on, until our stop or the end of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from poorwill.core.model import Condition
from poorwill.providers.base import Surroundings
from poorwill.providers.machine import MachineProvider, Options


@pytest.fixture
def provider(tmp_path: Path) -> MachineProvider:
    return MachineProvider(Options(), Surroundings("gateway", "s", tmp_path, tmp_path, lambda: None))


async def test_it_is_there_while_somebody_is_interested(provider: MachineProvider) -> None:
    assert await provider.list() == []
    handle = await provider.start("a", {})
    assert await provider.start("a", {}) == handle
    (seen,) = await provider.list()
    assert (seen.condition, seen.handle) == (Condition.RUNNING, handle)
    await provider.stop("a")
    await provider.stop("a")
    assert await provider.list() == []


async def test_it_is_found_again_in_the_same_life(provider: MachineProvider, tmp_path: Path) -> None:
    handle = await provider.start("a", {})
    later = MachineProvider(Options(), Surroundings("gateway", "s", tmp_path, tmp_path, lambda: None))
    await later.adopt({"a": handle})
    assert await later.list() == await provider.list()


async def test_it_goes_with_the_machine_and_comes_back_as_another_life(provider: MachineProvider) -> None:
    first = await provider.start("a", {})
    await provider.lost()
    assert await provider.list() == []
    assert await provider.start("a", {}) != first
