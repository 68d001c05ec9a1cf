from __future__ import annotations

import asyncio
import os
import signal

import pytest
from tests.providers.conformance import (
    DEADLINE,
    becomes,
    begin,
    sighted,
    until,
)
from tests.providers.process_place import ProcessPlace, lives, written

from poorwill.core.model import Condition
from poorwill.providers.process import spawn

IGNORES_TERM = ["sh", "-c", "trap '' TERM; echo hello; while :; do sleep 1000; done"]


class TestStopping:
    async def test_asks_first(self, place: ProcessPlace) -> None:
        said = place.folder / "said"
        script = f"trap 'echo bye > {said}; exit 0' TERM; echo hello; while :; do sleep 0.05; done"
        provider = place.provider(command=["sh", "-c", script])
        await begin(provider, "a")
        await place.printed("a", "hello")
        await provider.stop("a")
        assert said.read_text() == "bye\n"
        end = await sighted(provider, "a")
        assert end is not None
        assert (end.condition, end.detail) == (Condition.ABSENT, "stopped: exit code 0")

    async def test_kills_what_ignores_the_question(self, place: ProcessPlace) -> None:
        provider = place.provider(command=IGNORES_TERM, stop_timeout="2s")
        await begin(provider, "a")
        await place.printed("a", "hello")
        stopping = asyncio.ensure_future(provider.stop("a"))
        await becomes(provider, "a", Condition.STOPPING)
        await stopping
        end = await sighted(provider, "a")
        assert end is not None
        assert (end.condition, end.detail) == (
            Condition.ABSENT,
            "stopped: killed, for it did not end within 2 s",
        )
        assert place.pids() == set()

    async def test_the_loop_runs_meanwhile(self, place: ProcessPlace) -> None:
        provider = place.provider(command=IGNORES_TERM, stop_timeout="1s")
        await begin(provider, "a")
        await place.printed("a", "hello")
        stopping = asyncio.ensure_future(provider.stop("a"))
        turns = 0
        while not stopping.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert turns >= 5

    async def test_a_stop_that_follows_a_start_at_once_reaches_the_command(
        self, place: ProcessPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        busy = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"
        slow_shell = spawn._WRAPPER.replace('"$@"', f'{busy}\n"$@"')
        assert slow_shell != spawn._WRAPPER
        monkeypatch.setattr(spawn, "_WRAPPER", slow_shell)
        provider = place.provider(stop_timeout="60s")
        async with asyncio.timeout(DEADLINE):
            await provider.start("a", {})
            await provider.stop("a")
        end = await sighted(provider, "a")
        assert end is not None
        assert "SIGTERM" in end.detail

    async def test_wakes_a_paused_one_to_end_it(self, place: ProcessPlace) -> None:
        provider = place.provider(stop_timeout="60s")
        sighting = await begin(provider, "a")
        await place.printed("a", "hello")
        pid = await place.command_pid(sighting)
        os.kill(pid, signal.SIGSTOP)
        async with asyncio.timeout(DEADLINE):
            await provider.stop("a")
        assert not lives(pid)

    @pytest.mark.parametrize(
        "grandchild",
        [
            "sh -c 'echo $$ > pid; exec sleep 1000' &",
            "setsid sh -c 'echo $$ > pid; exec sleep 1000' &",
            "setsid sh -c 'trap \"\" TERM; echo $$ > pid; while :; do sleep 1000; done' &",
            "env -i /bin/sh -c 'echo $$ > pid; trap \"\" TERM; while :; do /bin/sleep 1000; done' &",
        ],
        ids=["in-the-group", "own-session", "own-session-and-stubborn", "without-the-mark-and-stubborn"],
    )
    async def test_grandchildren_go_too(self, place: ProcessPlace, grandchild: str) -> None:
        provider = place.provider(command=["sh", "-c", f"{grandchild} sleep 1000"], stop_timeout="500ms")
        await begin(provider, "a")
        file = place.folder / "pid"
        await until(lambda: written(file), "the grandchild runs")
        await provider.stop("a")
        assert not lives(int(file.read_text()))
        assert place.pids() == set()

    async def test_a_grandchild_outside_the_group_may_end_well(self, place: ProcessPlace) -> None:
        inner = 'trap "sleep 0.2; echo bye > said; exit 0" TERM; echo $$ > pid; while :; do sleep 0.05; done'
        provider = place.provider(command=["sh", "-c", f"setsid sh -c '{inner}' & exec sleep 1000"])
        await begin(provider, "a")
        await until(lambda: written(place.folder / "pid"), "the grandchild runs")
        await provider.stop("a")
        assert (place.folder / "said").read_text() == "bye\n"
