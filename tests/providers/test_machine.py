"""A service that its machine starts by itself."""

from __future__ import annotations

from pathlib import Path

from poorwill.core.model import Condition
from poorwill.providers.base import Handle, Surroundings
from poorwill.providers.machine import MachineProvider, Options


def provider(folder: Path) -> MachineProvider:
    return MachineProvider(Options(), Surroundings("gateway", "kb", folder, folder, lambda: None))


async def test_it_is_there_from_its_start_to_its_stop(tmp_path: Path) -> None:
    place = provider(tmp_path)
    assert await place.list() == []
    handle = await place.start("kb-1", await place.prepare("kb-1"))
    assert await place.start("kb-1", {}) == handle
    (seen,) = await place.list()
    assert (seen.instance, seen.condition, seen.handle) == ("kb-1", Condition.RUNNING, handle)
    await place.stop("kb-1")
    await place.stop("kb-1")
    assert await place.list() == []
    again = await place.start("kb-1", {})
    assert again != handle, "another life"


async def test_it_is_taken_over_by_its_handle(tmp_path: Path) -> None:
    handle = await provider(tmp_path).start("kb-1", {})
    later = provider(tmp_path)
    await later.adopt({"kb-1": Handle("kb-1", dict(handle.data))})
    (seen,) = await later.list()
    assert seen.handle == handle


async def test_it_goes_with_its_machine(tmp_path: Path) -> None:
    place = provider(tmp_path)
    await place.start("kb-1", {})
    await place.lost()
    assert await place.list() == []
