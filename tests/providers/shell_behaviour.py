"""What every ``Shell`` must do, here or over SSH. The tests of each inherit the class."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from tests.patience import PATIENCE
from tests.providers.conformance import until
from tests.providers.process_place import lives

from poorwill.errors import Temporary
from poorwill.providers.base import Shell
from poorwill.providers.shell.runner import KEPT, MOST


def number(file: Path) -> int:
    return int(file.read_text() or 0) if file.exists() else 0


class ShellBehaviour:
    """Needs a fixture ``shell``, and that files of this host are reached by their paths."""

    async def test_tells_what_came_of_it(self, shell: Shell) -> None:
        ran = await shell.run("echo out; echo err >&2; exit 7", timeout=20)
        assert (ran.code, ran.output) == (7, "out\nerr\n")

    async def test_a_signal_is_told_as_shells_do(self, shell: Shell) -> None:
        assert (await shell.run("kill -9 $$", timeout=20)).code == 137

    async def test_variables_arrive_as_they_are(self, shell: Shell) -> None:
        value = 'it\'s "two"\n$HOME `x` \\ lines'
        ran = await shell.run('printf %s "$A"', timeout=20, env={"A": value})
        assert ran.output == value

    async def test_variables_are_not_shown_to_others(self, shell: Shell, tmp_path: Path) -> None:
        look = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' > seen"
        await shell.run(look, timeout=20, cwd=str(tmp_path), env={"A": "a-secret-of-mine"})
        assert b"a-secret-of-mine" not in (tmp_path / "seen").read_bytes()

    async def test_runs_where_it_is_told(self, shell: Shell, tmp_path: Path) -> None:
        folder = tmp_path / "it's a folder"
        folder.mkdir()
        assert (await shell.run("pwd", timeout=20, cwd=str(folder))).output.strip() == str(folder)
        missing = await shell.run("echo no", timeout=20, cwd=str(tmp_path / "none"))
        assert missing.code == 126
        assert "none" in missing.output

    async def test_the_users_own_mask_holds(self, shell: Shell, tmp_path: Path) -> None:
        mask = (await shell.run("umask", timeout=20)).output
        assert int(mask, 8) != 0o077

    async def test_one_that_hangs_is_ended_with_its_children(self, shell: Shell, tmp_path: Path) -> None:
        ran = await shell.run(
            "sleep 500 & echo $! > child; echo waiting; wait", timeout=2.0, cwd=str(tmp_path)
        )
        assert ran.code is None
        assert "waiting" in ran.output
        child = number(tmp_path / "child")
        await until(lambda: not lives(child), "its child is gone")

    async def test_one_that_will_not_listen_is_killed(self, shell: Shell, tmp_path: Path) -> None:
        command = "echo $$ > pid; trap '' TERM; while :; do sleep 0.1; done"
        assert (await shell.run(command, timeout=2.0, cwd=str(tmp_path))).code is None
        await until(lambda: not lives(number(tmp_path / "pid")), "it is gone")

    async def test_what_it_leaves_in_the_background_lives_on(self, shell: Shell, tmp_path: Path) -> None:
        log = str(tmp_path / "kept.log")
        command = "(while [ ! -e over ]; do sleep 0.1; done; echo later) & echo $! > pid; echo now"
        async with asyncio.timeout(PATIENCE):
            ran = await shell.run(command, timeout=100, cwd=str(tmp_path), log=log)
        assert (ran.code, ran.output) == (0, "now\n")
        assert lives(number(tmp_path / "pid"))
        await shell.close()
        (tmp_path / "over").touch()
        await until(lambda: "later" in (tmp_path / "kept.log").read_text(), "it can still write")

    async def test_a_flood_fills_neither_disk_nor_memory(self, shell: Shell, tmp_path: Path) -> None:
        log = tmp_path / "flood.log"
        # What is printed in the very moment of a cut may be lost: the end comes after the last one.
        command = "yes 0123456789abcdef | head -c 200000000; sleep 1; echo the end"
        ran = await shell.run(command, timeout=100, log=str(log))
        assert ran.code == 0
        assert ran.output.endswith("the end\n")
        assert len(ran.output) <= KEPT
        ran = await shell.run("echo next", timeout=20, log=str(log))
        assert ran.output == "next\n"

    async def test_a_long_flood_is_cut_while_it_lasts(self, shell: Shell, tmp_path: Path) -> None:
        log = tmp_path / "flood.log"
        flood = "while [ ! -e over ]; do head -c 3000000 /dev/zero | tr '\\0' x; sleep 0.02; done"
        flood += "; sleep 1; echo end"
        running = asyncio.create_task(shell.run(flood, timeout=100, cwd=str(tmp_path), log=str(log)))
        cut = tmp_path / "flood.log.cut"
        await until(cut.exists, "it was cut")
        await until(lambda: log.stat().st_size < MOST, "it is small again")
        (tmp_path / "over").touch()
        assert (await running).output.endswith("end\n")

    async def test_given_up_it_ends_at_once(self, shell: Shell, tmp_path: Path) -> None:
        running = asyncio.create_task(
            shell.run("echo $$ > pid; sleep 500; true", timeout=400, cwd=str(tmp_path))
        )
        await until(lambda: number(tmp_path / "pid") > 0, "it runs")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: not lives(number(tmp_path / "pid")), "it is gone")

    async def test_one_that_runs_already_is_waited_for(self, shell: Shell, tmp_path: Path) -> None:
        log = tmp_path / "one.log"
        command = "echo run >> runs; while [ ! -e over ]; do sleep 0.05; done; echo done; exit 4"
        first = asyncio.create_task(shell.run(command, timeout=60, cwd=str(tmp_path), log=str(log)))
        await until((tmp_path / "one.log.job").exists, "it is written down")
        await until((tmp_path / "runs").exists, "it runs")
        second = asyncio.create_task(shell.run(command, timeout=60, cwd=str(tmp_path), log=str(log)))
        await asyncio.wait([second], timeout=0.5)
        assert not second.done()
        (tmp_path / "over").touch()
        assert (await first).code == (await second).code == 4
        assert (tmp_path / "runs").read_text() == "run\n"

    async def test_another_one_waits_for_its_turn(self, shell: Shell, tmp_path: Path) -> None:
        log = tmp_path / "one.log"
        command = "touch runs; while [ ! -e over ]; do sleep 0.05; done; echo first >> order"
        first = asyncio.create_task(shell.run(command, timeout=60, cwd=str(tmp_path), log=str(log)))
        await until((tmp_path / "one.log.job").exists, "it is written down")
        await until((tmp_path / "runs").exists, "it runs")
        other = asyncio.create_task(shell.run("cat order", timeout=60, cwd=str(tmp_path), log=str(log)))
        await asyncio.wait([other], timeout=0.5)
        assert not other.done()
        (tmp_path / "over").touch()
        await first
        assert (await other).output == "first\n"

    async def test_a_log_that_cannot_be_written_is_told(self, shell: Shell) -> None:
        with pytest.raises(Temporary, match=r"cannot (be written|create directory)"):
            await shell.run("true", timeout=20, log="/proc/none/x.log")

    async def test_nothing_is_left_lying_about(self, shell: Shell) -> None:
        folder = Path(os.environ.get("TMPDIR", "/tmp"))
        before = set(folder.glob("poorwill.*"))
        await shell.run("echo x", timeout=20)
        fresh = set(folder.glob("poorwill.*")) - before  # those of others who work here go as well
        await until(lambda: not any(file.exists() for file in fresh), "they are gone")
