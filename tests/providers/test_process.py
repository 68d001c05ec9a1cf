from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.providers.conformance import (
    DEADLINE,
    ProviderConformance,
    becomes,
    begin,
    sighted,
    through_json,
    until,
)
from tests.providers.process_place import ProcessPlace, lives, written

from poorwill.core.model import Condition
from poorwill.errors import Permanent, Temporary
from poorwill.providers.base import Handle
from poorwill.providers.process import Options, launch, spawn, sweep
from poorwill.providers.process import provider as provider_module
from poorwill.providers.process.table import PsutilTable

IGNORES_TERM = ["sh", "-c", "trap '' TERM; echo hello; while :; do sleep 1000; done"]


class TestConformance(ProviderConformance):
    pass


class TestConformanceByPolling(ProviderConformance):
    """A host without pidfd."""

    @pytest.fixture(autouse=True)
    def _no_pidfd(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(os, "pidfd_open")


class TestConformanceWithoutProc:
    """A host without ``/proc``: what psutil tells is enough to find, watch and stop."""

    @pytest.fixture(autouse=True)
    def _no_proc(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(provider_module, "this_host", PsutilTable)

    test_starts_and_stops = ProviderConformance.test_starts_and_stops
    test_a_crash_is_told = ProviderConformance.test_a_crash_is_told
    test_takes_over_what_was_never_journalled = ProviderConformance.test_takes_over_what_was_never_journalled
    test_closing_leaves_instances_alone = ProviderConformance.test_closing_leaves_instances_alone


class TestBashForAShell(ProviderConformance):
    """macOS and Red Hat have bash for ``/bin/sh``; the wrapper must work the same."""

    @pytest.fixture(autouse=True)
    def _bash(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "sh").symlink_to("/bin/bash")
        monkeypatch.setattr(spawn, "SHELL", str(tmp_path / "sh"))

    async def test_tells_the_exit_code(self, place: ProcessPlace) -> None:
        provider = place.provider(command=["sh", "-c", "exit 3"])
        await provider.start("a", {})
        assert (await becomes(provider, "a", Condition.ABSENT)).detail == "exit code 3"

    async def test_passes_on_the_question(self, place: ProcessPlace) -> None:
        script = "trap 'exit 5' TERM; echo hello; while :; do sleep 0.05; done"
        provider = place.provider(command=["sh", "-c", script])
        await begin(provider, "a")
        await _printed(place, "a", "hello")
        await provider.stop("a")
        assert (await becomes(provider, "a", Condition.ABSENT)).detail == "stopped: exit code 5"


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
            await _printed(place, "a", str(place.folder / "app"))
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


class TestEnding:
    @pytest.mark.parametrize(
        ("command", "detail"),
        [
            ("exit 3", "exit code 3"),
            ("exit 0", "exit code 0"),
            ("exit 255", "exit code 255"),
            ("kill -9 $$", r"killed by signal 9 \(SIGKILL\)"),
            ("kill -TERM $$", r"killed by signal 15 \(SIGTERM\)"),
            ("exec ./no-interpreter", "exit code 12[67]: the command"),
        ],
    )
    async def test_an_end_is_noticed_at_once_with_its_reason(
        self, place: ProcessPlace, command: str, detail: str
    ) -> None:
        script = place.folder / "no-interpreter"
        script.write_text("#!/no/such/interpreter\n")
        script.chmod(0o755)
        provider = place.provider(command=["sh", "-c", command])
        await provider.start("a", {})
        # not by asking: the provider tells
        await until(lambda: place.changes > 0, "changed was called")
        end = await sighted(provider, "a")
        assert end is not None
        assert end.condition is Condition.ABSENT
        assert re.fullmatch(detail + ".*", end.detail)
        assert end.life

    async def test_what_a_crash_leaves_behind_is_ended(self, place: ProcessPlace) -> None:
        provider = place.provider(command=["sh", "-c", "sleep 1000 & setsid sleep 1000 & exit 0"])
        await provider.start("a", {})
        end = await becomes(provider, "a", Condition.ABSENT)
        assert "it left behind" in end.detail
        assert "foreground" in end.detail
        assert place.pids() == set()

    async def test_a_killed_wrapper_takes_all_with_it(self, place: ProcessPlace) -> None:
        provider = place.provider()
        sighting = await begin(provider, "a")
        assert sighting.handle is not None
        os.kill(sighting.handle.data["pid"], signal.SIGKILL)
        end = await becomes(provider, "a", Condition.ABSENT)
        assert "killed by signal 9" in end.detail
        assert place.pids() == set()


class TestStopping:
    async def test_asks_first(self, place: ProcessPlace) -> None:
        said = place.folder / "said"
        script = f"trap 'echo bye > {said}; exit 0' TERM; echo hello; while :; do sleep 0.05; done"
        provider = place.provider(command=["sh", "-c", script])
        await begin(provider, "a")
        await _printed(place, "a", "hello")
        await provider.stop("a")
        assert said.read_text() == "bye\n"
        end = await sighted(provider, "a")
        assert end is not None
        assert (end.condition, end.detail) == (Condition.ABSENT, "stopped: exit code 0")

    async def test_kills_what_ignores_the_question(self, place: ProcessPlace) -> None:
        provider = place.provider(command=IGNORES_TERM, stop_timeout="300ms")
        await begin(provider, "a")
        await _printed(place, "a", "hello")
        stopping = asyncio.ensure_future(provider.stop("a"))
        await becomes(provider, "a", Condition.STOPPING)
        await stopping
        end = await sighted(provider, "a")
        assert end is not None
        assert (end.condition, end.detail) == (
            Condition.ABSENT,
            "stopped: killed, for it did not end within 0.3 s",
        )
        assert place.pids() == set()

    async def test_the_loop_runs_meanwhile(self, place: ProcessPlace) -> None:
        provider = place.provider(command=IGNORES_TERM, stop_timeout="1s")
        await begin(provider, "a")
        await _printed(place, "a", "hello")
        stopping = asyncio.ensure_future(provider.stop("a"))
        turns = 0
        while not stopping.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert turns >= 20

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
        await _printed(place, "a", "hello")
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


class TestTrouble:
    async def test_what_cannot_be_killed_is_not_called_gone(
        self, place: ProcessPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        provider = place.provider(command=["sh", "-c", "sleep 1000 & exit 3"])
        with monkeypatch.context() as kernel_hangs:
            kernel_hangs.setattr(sweep, "KILL_PATIENCE", 0.1)
            kernel_hangs.setattr(sweep, "send", lambda *_: None)
            await provider.start("a", {})
            await until(lambda: place.changes > 0, "the end was noticed")
            sighting = await sighted(provider, "a")
            assert sighting is not None
            assert sighting.condition is Condition.STOPPING
            assert "still there after SIGKILL" in sighting.detail
        assert (await becomes(provider, "a", Condition.ABSENT)).detail.startswith("exit code 3")
        assert place.pids() == set()

    async def test_a_stop_that_did_not_work_says_so(
        self, place: ProcessPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        provider = place.provider(stop_timeout="0s")
        await begin(provider, "a")
        with monkeypatch.context() as kernel_hangs:
            kernel_hangs.setattr(sweep, "KILL_PATIENCE", -0.9)
            kernel_hangs.setattr(sweep, "signal_group", lambda *_: None)
            with pytest.raises(Temporary, match="still there after SIGKILL"):
                await provider.stop("a")
        assert (await becomes(provider, "a", Condition.STOPPING)).handle is not None
        await provider.stop("a")
        await becomes(provider, "a", Condition.ABSENT)

    async def test_a_folder_that_cannot_be_made(self, place: ProcessPlace) -> None:
        (place.folder / "state").write_text("a file")
        with pytest.raises(Permanent, match="cannot be created"):
            await place.provider().start("a", {})


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


async def _printed(place: ProcessPlace, instance: str, text: str) -> None:
    file = place.folder / "state" / f"{instance}.log"
    await until(lambda: file.exists() and text in file.read_text(), f"{text} was printed")
