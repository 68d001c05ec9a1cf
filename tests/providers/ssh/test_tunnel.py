from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from tests.ports import free_port
from tests.providers.conformance import until
from tests.providers.process_place import lives
from tests.providers.ssh.sshd import Sshd

from poorwill.errors import Permanent, Temporary
from poorwill.host.table import this_host
from poorwill.providers.base import Surroundings
from poorwill.providers.process.sweep import marked
from poorwill.providers.ssh import HostKey, Target, Tunnel

WORD = b"from over there"


class World:
    """A service that answers with one word, an sshd before it, and tunnels as several lives make them."""

    def __init__(self, folder: Path, sshd: Sshd, port: int) -> None:
        self.folder = folder
        self.sshd = sshd
        self.port = port
        self.target: Target = sshd.target()
        self.changes = 0
        self.gateway = f"test-{uuid4().hex}"
        self.tunnels: list[Tunnel] = []

    def tunnel(self) -> Tunnel:
        around = Surroundings(self.gateway, "s", self.folder / "state", self.folder, self._changed)
        tunnel = Tunnel(around, lambda: self.target, ("127.0.0.1", self.port), self.folder / "keys")
        self.tunnels.append(tunnel)
        return tunnel

    def _changed(self) -> None:
        self.changes += 1

    def pids(self) -> list[int]:
        found = marked(this_host(), f"{self.gateway}/s.tunnel/")
        return [each.seen.pid for each in found if not each.is_wrapper]


@pytest.fixture
async def world(tmp_path: Path, sshd: Sshd) -> AsyncIterator[World]:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(WORD)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    world = World(tmp_path, sshd, server.sockets[0].getsockname()[1])
    yield world
    for tunnel in world.tunnels:
        await tunnel.close()
    server.close()
    assert world.pids() == []


async def heard(address: tuple[str, int]) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    said = await reader.read()
    writer.close()
    return said


async def test_leads_to_the_machine(world: World) -> None:
    tunnel = world.tunnel()
    address = await tunnel.open()
    assert address[0] == "127.0.0.1"
    assert await heard(address) == WORD
    assert await tunnel.open() == address
    await tunnel.close()
    with pytest.raises(ConnectionRefusedError):
        await heard(address)
    await tunnel.close()


async def test_outlives_us_and_is_found_again(world: World) -> None:
    first = world.tunnel()
    address = await first.open()
    (pid,) = world.pids()
    await first.leave()
    assert lives(pid)
    assert await world.tunnel().open() == address
    assert world.pids() == [pid]


async def test_is_closed_by_a_later_life(world: World) -> None:
    first = world.tunnel()
    await first.open()
    await first.leave()
    await world.tunnel().close()
    assert world.pids() == []


async def test_is_opened_again_when_it_died(world: World) -> None:
    tunnel = world.tunnel()
    await tunnel.open()
    before = world.changes
    os.kill(world.pids()[0], signal.SIGKILL)
    await until(lambda: world.changes > before, "changed was called")
    assert await heard(await tunnel.open()) == WORD


async def test_follows_a_machine_that_moves(world: World, tmp_path: Path) -> None:
    tunnel = world.tunnel()
    await tunnel.open()
    (pid,) = world.pids()
    world.target = replace(world.target, user=None)  # as good as another machine
    assert await heard(await tunnel.open()) == WORD
    assert pid not in world.pids()


async def test_a_strange_host_key_is_refused(world: World) -> None:
    world.sshd.known_hosts.unlink()
    with pytest.raises(Permanent, match="Host key verification failed"):
        await world.tunnel().open()


async def test_accept_new_is_remembered_for_the_shell(world: World) -> None:
    world.sshd.known_hosts.unlink()
    world.target = replace(world.target, host_key=HostKey.ACCEPT_NEW)
    assert await heard(await world.tunnel().open()) == WORD
    assert "ssh-ed25519" in (world.folder / "keys" / "known_hosts").read_text()


async def test_a_refused_key_is_told(world: World) -> None:
    (world.sshd.folder / "authorized_keys").write_text("")
    with pytest.raises(Permanent, match="Permission denied"):
        await world.tunnel().open()


async def test_a_machine_that_is_not_there(world: World) -> None:
    world.target = replace(world.target, port=free_port())
    with pytest.raises(Temporary, match="Connection refused"):
        await world.tunnel().open()


async def test_a_password_is_no_use(world: World) -> None:
    world.target = replace(world.target, password="x")
    with pytest.raises(Permanent, match="needs a key"):
        await world.tunnel().open()
