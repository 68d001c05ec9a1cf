"""What cannot work is said at once and clearly: what is wrong, where, and what to do about it."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.commands import Said, command
from tests.acceptance.conftest import Start
from tests.acceptance.running import PATIENCE, Up, service
from tests.ports import free_port


@contextlib.contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


def fresh(folder: Path, **top: Any) -> Up:
    """Written down, not started."""
    made = Up(folder, {"it": service(folder, "it")}, top=top)
    made.write()
    return made


async def refused(gateway: Up, seconds: float = PATIENCE) -> Said:
    """`up` is expected to end by itself, leaving nothing behind."""
    said = await command("up", str(gateway.file), cwd=gateway.folder, seconds=seconds)
    assert said.code != 0
    assert "Traceback" not in said.err
    assert gateway.left() == []
    return said


async def test_the_port_for_visitors_is_taken(tmp_path: Path) -> None:
    gateway = fresh(tmp_path)
    with taken(gateway.listen):
        said = await refused(gateway)
    assert said.code == 1
    assert f"cannot listen on 127.0.0.1:{gateway.listen}" in said.err
    assert "hint: " in said.err
    assert "`listen:`" in said.err


async def test_the_port_for_the_admin_api_is_taken(tmp_path: Path) -> None:
    gateway = fresh(tmp_path)
    with taken(gateway.admin):
        said = await refused(gateway)
    assert said.code == 1
    assert f"cannot listen on 127.0.0.1:{gateway.admin}" in said.err
    assert "`admin:`" in said.err


async def test_an_address_that_is_not_this_machines(tmp_path: Path) -> None:
    gateway = fresh(tmp_path, listen=f"192.0.2.1:{free_port()}")
    said = await refused(gateway)
    assert said.code == 1
    assert "cannot listen on 192.0.2.1:" in said.err
    assert "hint: " in said.err


async def test_the_state_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    said = await refused(fresh(tmp_path, state="./file/state"))
    assert said.code == 1
    assert f"the state folder {tmp_path / 'file/state'} cannot be written" in said.err
    assert "`state:`" in said.err


async def test_the_journal_is_not_a_journal(tmp_path: Path) -> None:
    gateway = fresh(tmp_path)
    gateway.state.mkdir()
    (gateway.state / "journal.db").write_text("these are somebody's notes, not a database, and must be kept")
    said = await refused(gateway)
    assert said.code == 1
    assert "journal.db" in said.err
    assert "hint: " in said.err
    assert (gateway.state / "journal.db").read_text().startswith("these are somebody's notes")


async def test_a_second_up_on_the_same_state_folder(up: Start, tmp_path: Path) -> None:
    first = await up({"it": service(tmp_path, "it")})
    other = json.loads(first.file.read_text())
    other.update(listen=f"127.0.0.1:{free_port()}", admin=f"127.0.0.1:{free_port()}")
    second = tmp_path / "second.yaml"
    second.write_text(json.dumps(other))
    said = await command("up", str(second), cwd=tmp_path)
    assert said.code == 1
    assert f"another `poorwill up` (process {first.pid})" in said.err
    assert "hint: " in said.err
    assert first.process is not None
    assert first.process.poll() is None
    answer = await first.client().get("/", headers={"host": "it.test"})
    assert answer.status_code == 200, "the first goes on as before"


async def test_two_gateways_with_two_state_folders_do_not_touch_each_other(up: Start, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    gateways = []
    for name in ("one", "two"):
        gateway = Up(tmp_path / name, {"it": service(tmp_path / name, "it", idle_after="1m")})
        gateways.append(gateway)
    one, two = gateways
    try:
        for gateway in gateways:
            await gateway.start()
            answer = await gateway.client().get("/", headers={"host": "it.test"})
            assert answer.status_code == 200
        assert one.children("it")[0].pid != two.children("it")[0].pid
        await one.finish()
        assert two.children("it")
        assert (await two.client().get("/", headers={"host": "it.test"})).status_code == 200
        await two.finish()
    finally:
        for gateway in gateways:
            await gateway.wipe()


@pytest.mark.parametrize("words", [("up",), ("check",)])
async def test_every_mistake_of_the_file_is_told_with_its_place(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "poorwill.yaml"
    file.write_text(
        """\
listen: 127.0.0.1:18080
services:
  one:
    hosts: [a.test]
    run: {process: {command: [python3, app.py, "{port}"]}}
    idle_afer: 10m
  two:
    hosts: [a.test]
    run: {process: {command: [python3, app.py, "{port}"]}}
    idle_after: soon
"""
    )
    said = await command(*words, str(file), cwd=tmp_path)
    assert said.code == 2
    lines = said.err.splitlines()
    assert any(f"{file}:6:5:" in line and "did you mean idle_after" in line for line in lines), said.err
    assert any(f"{file}:10:17:" in line and "services.two.idle_after" in line for line in lines), said.err
    assert any(f"{file}:8:" in line and "services.one" in line for line in lines), said.err
    assert not (tmp_path / "poorwill-state").exists()


async def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    said = await command("up", "nowhere.yaml", cwd=tmp_path)
    assert said.code == 2
    assert "nowhere.yaml: there is no such file" in said.err
    assert "poorwill init" in said.err
