from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from poorwill.clock import boot_id
from poorwill.host.table import Identity, LinuxTable, PsutilTable, Table, is_alive


@pytest.fixture(params=[pytest.param(LinuxTable, marks=pytest.mark.platform("linux")), PsutilTable])
def table(request: pytest.FixtureRequest) -> Table:
    made: Table = request.param()
    return made


def test_knows_this_very_process(table: Table) -> None:
    me = table.look(os.getpid())
    assert me is not None
    assert me.session == os.getsid(0)
    assert me.start == table.started(os.getpid())
    assert me in list(table.everyone())
    assert is_alive(table, Identity(boot_id(), me.pid, me.start))


def test_another_boot_or_start_is_another_process(table: Table) -> None:
    me = Identity(boot_id(), os.getpid(), table.started(os.getpid()) or 0)
    assert not is_alive(table, replace(me, boot="another"))
    assert not is_alive(table, replace(me, start=me.start + 1))
    assert len({me.life, replace(me, boot="another").life, replace(me, start=me.start + 1).life}) == 3


def test_a_zombie_is_dead_but_remembered(table: Table) -> None:
    child = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert table.look(child.pid) is None
    assert table.started(child.pid) is not None
    child.wait()
    assert table.look(child.pid) is None
    assert table.started(child.pid) is None
    assert table.variables(child.pid) == {}


def test_a_name_may_hold_anything(table: Table, tmp_path: Path) -> None:
    program = tmp_path / ") Z 1 ("
    program.symlink_to(sys.executable)
    with subprocess.Popen([program, "-S", "-c", "input()"], stdin=subprocess.PIPE, text=True) as child:
        seen = table.look(child.pid)
        assert seen is not None
        assert seen.session == os.getsid(0)
        child.communicate("\n")
