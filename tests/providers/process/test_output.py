from __future__ import annotations

import asyncio

import pytest
from tests.providers.conformance import (
    DEADLINE,
    becomes,
    begin,
)
from tests.providers.process_place import ProcessPlace

from poorwill.core.model import Condition
from poorwill.providers.process import provider as provider_module


class TestLog:
    async def test_is_rotated_under_the_writer(
        self, place: ProcessPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(provider_module, "ROTATE_EVERY", 0.0)
        script = "i=0; while :; do i=$((i+1)); echo line $i; done"
        provider = place.provider(command=["sh", "-c", script], log={"max_size": 4096, "keep": 2})
        await begin(provider, "a")
        state = place.folder / "state"
        async with asyncio.timeout(DEADLINE):
            while not (state / "a.log.2").exists():
                await provider.list()
                await asyncio.sleep(0.01)
        await provider.stop("a")
        assert sorted(file.name for file in state.glob("a.log*")) == ["a.log", "a.log.1", "a.log.2"]
        assert (state / "a.log.2").stat().st_size <= 2 * 4096
        assert b"\0" not in (state / "a.log").read_bytes()
        assert (state / "a.log").stat().st_mode & 0o077 == 0

    async def test_a_log_that_cannot_be_rotated_is_told(
        self, place: ProcessPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(provider_module, "ROTATE_EVERY", 0.0)
        (place.folder / "state" / "a.log.1" / "in-the-way").mkdir(parents=True)
        script = "echo hello; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxx; done"
        provider = place.provider(command=["sh", "-c", script], log={"max_size": 1024, "keep": 1})
        await begin(provider, "a")
        async with asyncio.timeout(DEADLINE):
            while "cannot be rotated" not in (await becomes(provider, "a", Condition.RUNNING)).detail:
                await asyncio.sleep(0.01)

    async def test_each_life_begins_with_a_line(self, place: ProcessPlace) -> None:
        provider = place.provider()
        for _ in range(2):
            await begin(provider, "a")
            await provider.stop("a")
        lines = await provider.log_tail("a", 100)
        assert len([line for line in lines if line.startswith("--- 20") and "start of a" in line]) == 2
