from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest
from tests.providers.conformance import (
    DEADLINE,
    becomes,
    begin,
    sighted,
    through_json,
    until,
)
from tests.providers.process_place import ProcessPlace, lives

from poorwill.core.model import Condition
from poorwill.providers.base import Handle
from poorwill.providers.process import Options, launch, spawn

DOOMED = """
import asyncio, json, sys
from pathlib import Path
from poorwill.providers.base import Surroundings
from poorwill.providers.process import Options, ProcessProvider

async def main():
    gateway, base, options = sys.argv[1:]
    base = Path(base)
    around = Surroundings(gateway, "s", base / "state", base, lambda: None)
    provider = ProcessProvider(Options.model_validate_json(options), around)
    handle = await provider.start("a", await provider.prepare("a"))
    print(json.dumps(dict(handle.data)), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def _started_by_one_that_was_killed(place: ProcessPlace, **options: object) -> Handle:
    """Start instance ``a`` from another process, which then dies by ``kill -9``."""
    options = {**place.options, **options}
    doomed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", DOOMED, place.gateway, str(place.folder), json.dumps(options)),
        stdout=subprocess.PIPE,
    )
    assert doomed.stdout is not None
    async with asyncio.timeout(DEADLINE):
        line = await doomed.stdout.readline()
        doomed.kill()
        await doomed.wait()
    return Handle("a", json.loads(line))


class TestTakingOver:
    @pytest.mark.parametrize("journalled", [True, False], ids=["by-handle", "by-mark"])
    async def test_a_child_of_a_killed_control_plane(self, place: ProcessPlace, journalled: bool) -> None:
        command = ["sh", "-c", "echo hello {port}; exec sleep 1000"]
        handle = await _started_by_one_that_was_killed(place, command=command)
        provider = place.provider(command=command)
        await provider.adopt({"a": handle} if journalled else {})
        sighting = await sighted(provider, "a")
        assert sighting is not None
        assert sighting.condition is Condition.RUNNING
        assert sighting.handle == handle
        assert sighting.address == f"127.0.0.1:{handle.data['port']}"
        await provider.stop("a")
        assert place.pids() == set()

    async def test_its_exit_code_is_known_all_the_same(self, place: ProcessPlace) -> None:
        go = place.folder / "go"
        command = ["sh", "-c", f"echo hello; while [ ! -e {go} ]; do sleep 0.02; done; exit 3"]
        handle = await _started_by_one_that_was_killed(place, command=command)
        provider = place.provider(command=command)
        await provider.adopt({"a": handle})
        go.touch()
        await until(lambda: place.changes > 0, "the end was noticed")
        assert (await becomes(provider, "a", Condition.ABSENT)).detail == "exit code 3"

    async def test_one_that_ended_while_nobody_looked(self, place: ProcessPlace) -> None:
        handle = await _started_by_one_that_was_killed(place, command=["sh", "-c", "exit 4"])
        await until(lambda: place.pids() == set(), "it ended")
        provider = place.provider()
        await provider.adopt({"a": handle})
        assert (await becomes(provider, "a", Condition.ABSENT)).detail == "exit code 4"

    async def test_what_lost_its_wrapper_is_ended(self, place: ProcessPlace) -> None:
        handle = await _started_by_one_that_was_killed(place)
        os.kill(handle.data["pid"], signal.SIGKILL)
        await until(lambda: not lives(handle.data["pid"]), "the wrapper is dead")
        assert place.pids() != set()
        provider = place.provider()
        await provider.adopt({"a": handle})
        assert place.pids() == set()
        await becomes(provider, "a", Condition.ABSENT)

    async def test_a_reused_pid_is_nobody_we_know(self, place: ProcessPlace) -> None:
        provider = place.provider()
        running = await begin(provider, "a")
        await provider.stop("a")
        stranger = await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True)
        try:
            data = dict(through_json(running.handle).data)
            for wrong in ({"pid": stranger.pid}, {"pid": stranger.pid, "boot": "another boot"}):
                restarted = place.provider()
                await restarted.adopt({"a": Handle("a", {**data, **wrong})})
                assert (await becomes(restarted, "a", Condition.ABSENT)).detail
                await restarted.stop("a")
            assert lives(stranger.pid)
        finally:
            stranger.kill()
            await stranger.wait()

    async def test_a_handle_of_another_version_is_no_obstacle(self, place: ProcessPlace) -> None:
        first = await begin(place.provider(), "a")
        restarted = place.provider()
        await restarted.adopt({"a": Handle("a", {"container": "x"})})
        assert (await becomes(restarted, "a", Condition.RUNNING)).life == first.life

    async def test_other_services_are_left_alone(self, place: ProcessPlace) -> None:
        other = ProcessPlace(place.folder)
        try:
            first = await begin(other.provider(), "a")
            provider = place.provider()
            await provider.adopt({})
            await provider.stop("a")
            assert (await becomes(other.providers[0], "a", Condition.RUNNING)).life == first.life
        finally:
            await other.close()

    async def test_a_second_copy_of_an_instance_is_ended(self, place: ProcessPlace) -> None:
        handle = await _started_by_one_that_was_killed(place)
        plan = launch.plan(Options.model_validate(place.options), place.folder, f"{place.gateway}/s/a", None)
        state = place.folder / "state"
        second = spawn.spawn(plan, state / "b.log", state / "b.exit", "a second copy")
        provider = place.provider()
        await provider.adopt({"a": handle})
        await asyncio.to_thread(os.waitpid, second, 0)
        assert (await becomes(provider, "a", Condition.RUNNING)).handle == handle
