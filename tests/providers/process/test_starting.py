from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading

import pytest
from tests.providers.conformance import (
    DEADLINE,
    becomes,
    begin,
    until,
)
from tests.providers.process_place import ProcessPlace, written

from poorwill.core.model import Condition
from poorwill.errors import Permanent
from poorwill.host.table import Table
from poorwill.providers.process import sweep


class TestStarting:
    async def test_the_environment_is_clean(
        self, place: ProcessPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET_OF_THE_GATEWAY", "x")
        monkeypatch.setenv("LANG", "C.UTF-8")
        out = place.folder / "out"
        # python, because a shell adds variables of its own
        code = "import os, sys, json; print(json.dumps(dict(os.environ)), file=open(sys.argv[1], 'w'))"
        command = [sys.executable, "-S", "-c", code, str(out)]
        provider = place.provider(command=command, env={"MINE": "on {port}", "N": 3})
        await provider.start("a", {"port": 23456})
        await until(lambda: written(out), "the environment was written")
        env = json.loads(out.read_text())
        assert env["MINE"] == "on 23456"
        assert env["N"] == "3"
        assert env["PORT"] == "23456"
        assert env["POORWILL_INSTANCE"] == f"{place.gateway}/s/a"
        assert env["LANG"] == "C.UTF-8"
        allowed = set(
            "PATH HOME USER LOGNAME SHELL LANG LC_ALL TZ TMPDIR MINE N PORT POORWILL_INSTANCE".split()
        )
        of_shells = {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"}  # LC_CTYPE is Python's own
        assert env.keys() <= allowed | of_shells

    async def test_one_that_starts_beside_another_is_followed_once(
        self, place: ProcessPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else its end is told to the wrong one of two, and a stop of it never returns."""
        real, here, go_on = sweep.await_mark, threading.Event(), threading.Event()

        def held(table: Table, pid: int) -> None:
            real(table, pid)
            if not here.is_set():
                here.set()
                assert go_on.wait(DEADLINE)

        monkeypatch.setattr(sweep, "await_mark", held)
        provider = place.provider(command=["sleep", "1000"])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(provider.start("a", {}))
            await until(here.is_set, "the first can be seen")
            await provider.start("b", {})
            go_on.set()
        async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as tasks:
            for instance in ("a", "b"):
                tasks.create_task(provider.stop(instance))

    async def test_input_is_empty_and_signals_are_as_by_default(self, place: ProcessPlace) -> None:
        out = place.folder / "out"
        script = f"cat; grep -E '^Sig(Ign|Blk)' /proc/self/status > {out}.part; mv {out}.part {out}"
        await place.provider(command=["sh", "-c", script]).start("a", {})
        await until(out.exists, "the end of the input was seen")
        masks = dict(line.split(":\t") for line in out.read_text().splitlines())
        deadly = sum(1 << (number - 1) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
        assert int(masks["SigIgn"], 16) & deadly == 0
        assert int(masks["SigBlk"], 16) == 0

    async def test_each_instance_has_a_port_and_answers_there(self, place: ProcessPlace) -> None:
        command = [sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1"]
        provider = place.provider(command=command)
        addresses = {(await begin(provider, instance)).address for instance in ("a", "b")}
        assert len(addresses) == 2
        for address in addresses:
            assert address is not None
            host, _, port = address.partition(":")
            async with asyncio.timeout(DEADLINE):
                while True:
                    try:
                        _, writer = await asyncio.open_connection(host, int(port))
                        break
                    except ConnectionRefusedError:
                        await asyncio.sleep(0.02)
            writer.close()
            await writer.wait_closed()

    async def test_an_instance_is_told_which_one_it_is(self, place: ProcessPlace) -> None:
        told = "echo {instance} {number} $GPU ${number:-none}; exec sleep 1000"
        provider = place.provider(command=["sh", "-c", told], env={"GPU": "{index}"})
        await begin(provider, "s-2")
        await place.printed("s-2", "s-2 2 1 none\n")

    async def test_without_a_port_no_address_is_claimed(self, place: ProcessPlace) -> None:
        assert await place.provider().prepare("a") == {}
        assert (await begin(place.provider(), "a")).address is None

    @pytest.mark.parametrize(
        ("options", "message", "hint"),
        [
            ({"command": "no-such-program --x"}, "'no-such-program' was not found", "install it"),
            ({"command": "./missing.sh"}, "'./missing.sh' does not exist", "missing.sh"),
            ({"command": "script.sh"}, "'script.sh' was not found", "write ./script.sh"),
            ({"command": "./script.sh"}, "'./script.sh' is not executable", "chmod +x"),
            ({"command": "./folder"}, "is a folder", "program"),
            ({"cwd": "nowhere"}, "nowhere does not exist", "cwd"),
            ({"cwd": "script.sh"}, "is not a folder", "cwd"),
            ({"command": "sleep 1", "env": {"PATH": "/nowhere"}}, "'sleep' was not found", "/nowhere"),
        ],
    )
    async def test_what_cannot_work_is_refused_before_anything_is_started(
        self, place: ProcessPlace, options: dict[str, object], message: str, hint: str
    ) -> None:
        (place.folder / "script.sh").write_text("#!/bin/sh\n")
        (place.folder / "folder").mkdir()
        with pytest.raises(Permanent, match=message) as caught:
            await place.provider(**options).start("a", {})
        assert hint in caught.value.hint
        assert place.pids() == set()

    async def test_programs_are_found_from_the_childs_own_folder_and_path(self, place: ProcessPlace) -> None:
        folder = place.folder / "app" / "bin"
        folder.mkdir(parents=True)
        program = folder / "mine"
        program.write_text("#!/bin/sh\necho hello; pwd; exec sleep 1000\n")
        program.chmod(0o755)
        for command, env in (("bin/mine", {}), ("mine", {"PATH": "bin:/usr/bin:/bin"})):
            provider = place.provider(command=command, cwd="app", env=env)
            await begin(provider, "a")
            await place.printed("a", str(place.folder / "app"))
            await provider.stop("a")
            (place.folder / "state" / "a.log").unlink()

    async def test_a_caller_that_gives_up_does_not_lose_the_child(self, place: ProcessPlace) -> None:
        provider = place.provider()
        starting = asyncio.ensure_future(provider.start("a", {}))
        await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await becomes(provider, "a", Condition.RUNNING)
