"""What must not end the program, or be ended by it: nobody reads its log, Envoy dies at the wrong moment,
strangers sit on a service's address, services change their names while they work.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import psutil
import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import PATIENCE, Up, host, service, until
from tests.acceptance.stories import Story, Told, name_of
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def working(client: httpx2.AsyncClient, name: str = "it") -> asyncio.Task[httpx2.Response]:
    return asyncio.create_task(client.get("/work?seconds=60", headers=host(name)))


async def until_services(gateway: Up, *names: str) -> None:
    async def there() -> bool:
        return [row["name"] for row in await gateway.get("/api/v1/services")] == [*names]

    await until(there, f"the services are {names}")


async def down_ends_even_when_envoy_dies_meanwhile(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it", traffic={"busy": ["/work"]}, idle_after="1m")})
    work = await working(gateway.client())
    await until(lambda: "GET /work?seconds=60" in gateway.requests("it"), "the work has begun")
    await gateway.post("/api/v1/down")
    os.kill(gateway.envoy_pid(), signal.SIGKILL)  # the work is lost with it; a new Envoy says nothing is open
    assert gateway.process is not None
    assert await asyncio.to_thread(gateway.process.wait, PATIENCE) == 0
    gateway.process = None
    with pytest.raises(httpx2.TransportError):
        await work
    assert gateway.left() == []


async def a_cut_does_not_wait_for_an_envoy_that_hangs(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it", idle_after="1m")})
    assert (await gateway.client().get("/", headers=host("it"))).status_code == 200
    os.kill(gateway.envoy_pid(), signal.SIGSTOP)
    await gateway.post("/api/v1/down")
    await gateway.post("/api/v1/down")
    await until(lambda: not gateway.children("it"), "the instance is stopped")
    assert gateway.process is not None
    assert await asyncio.to_thread(gateway.process.wait, PATIENCE) == 0
    gateway.process = None
    assert gateway.left() == []


async def sigterm_calls_off_going_down(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it", traffic={"busy": ["/work"]}, idle_after="1m")})
    client = gateway.client()
    work = await working(client)
    await until(lambda: "GET /work?seconds=60" in gateway.requests("it"), "the work has begun")
    await gateway.post("/api/v1/down")
    await gateway.until_phase("it", "draining")
    assert await gateway.terminate() == 0
    assert gateway.children("it"), "left for the next start"
    assert not work.done()
    await gateway.start()
    await gateway.post("/api/v1/down")
    await gateway.post("/api/v1/down")
    assert gateway.process is not None
    assert await asyncio.to_thread(gateway.process.wait, PATIENCE) == 0
    gateway.process = None
    with contextlib.suppress(httpx2.RemoteProtocolError):  # in its first seconds it is sent again
        assert (await work).status_code == 503


async def a_quiet_request_is_waited_for_as_long_as_it_may_be_quiet(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it", idle_after="1m", drain="1s")})
    client = gateway.client()
    asking = asyncio.create_task(client.get("/work?seconds=4", headers=host("it")))
    await until(lambda: "GET /work?seconds=4" in gateway.requests("it"), "it has begun")
    assert (await gateway.cli("sleep", "it")).code == 0
    assert (await asking).status_code == 200
    await gateway.until_phase("it", "asleep")


async def a_stranger_on_the_address_is_not_the_service(up: Start, tmp_path: Path) -> None:
    port = free_port()

    async def strange(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nstranger")
        await writer.drain()
        writer.close()

    settings = service(tmp_path, "it", address=f"127.0.0.1:{port}", hold="3s")
    command = settings["run"]["process"]["command"]
    command[command.index("{port}")] = str(port)
    gateway = await up({"it": settings})
    client = gateway.client()
    async with await asyncio.start_server(strange, "127.0.0.1", port):
        answer = await client.get("/", headers=host("it"))
        assert answer.status_code == 503
        assert "stranger" not in answer.text
        why = await gateway.cli("why", "it")
        assert f"another program already answers on 127.0.0.1:{port}" in why.out
        assert "hint: " in why.out
    await gateway.cli("wake", "it")
    await gateway.until_phase("it", "awake")
    await gateway.cli("auto", "it")


async def a_service_may_change_its_name_while_it_works(up: Start, tmp_path: Path) -> None:
    settings = {"traffic": {"busy": ["/work"]}, "idle_after": "1m"}
    gateway = await up({"old": service(tmp_path, "old", **settings, hosts=["one.test"])})
    client = gateway.client()
    work = asyncio.create_task(client.get("/work?seconds=3", headers={"host": "one.test"}))
    await until(lambda: "GET /work?seconds=3" in gateway.requests("old"), "the work has begun")
    gateway.services = {"new": service(tmp_path, "new", **settings, hosts=["one.test"])}
    gateway.write()
    assert (await gateway.cli("reload")).code == 0
    assert (await client.get("/", headers={"host": "one.test"})).status_code == 200
    assert gateway.starts("new") == 1
    assert (await work).status_code == 200, "its work was not cut"
    await until(lambda: not gateway.children("old"), "the old one sleeps")


async def reloads_at_the_same_moment(up: Start, tmp_path: Path) -> None:
    gateway = await up({name: service(tmp_path, name) for name in ("a", "b", "c")})
    gateway.services.pop("b")
    gateway.write()
    assert gateway.process is not None
    for _ in range(5):
        gateway.process.send_signal(signal.SIGHUP)
    await asyncio.gather(*(gateway.post("/api/v1/reload") for _ in range(5)))
    await until_services(gateway, "a", "c")


async def a_service_removed_while_nobody_looked_is_stopped(up: Start, tmp_path: Path) -> None:
    gateway = await up({name: service(tmp_path, name, idle_after="1m") for name in ("stays", "left")})
    client = gateway.client()
    pid = (await client.get("/", headers=host("left"))).json()["pid"]
    gateway.kill9()
    gateway.services.pop("left")
    gateway.write()
    await gateway.start()
    await until(lambda: not psutil.pid_exists(pid), "what nobody wants any more is stopped")
    await until(lambda: gateway.events("left", "stopped"), "the journal says so")
    await until_services(gateway, "stays")
    assert (await client.get("/", headers=host("left"))).status_code == 404


def into_a_full_disk(file: Path) -> subprocess.Popen[bytes]:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "poorwill", "up", str(file)]
        return subprocess.Popen(command, stdout=full, stderr=full, start_new_session=True)


async def nobody_reads_the_log(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it")})
    assert await gateway.terminate() == 0
    gateway.process = into_a_full_disk(gateway.file)
    client = gateway.client()
    for _ in range(2):
        assert (await client.get("/", headers=host("it"))).status_code == 200
        await gateway.until_phase("it", "asleep")
    assert gateway.process.poll() is None


async def commands_need_no_valid_file(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it")})
    gateway.file.write_text(gateway.file.read_text().replace('"idle_after"', '"idel_after"'))
    assert (await gateway.cli("status")).code == 0
    assert (await gateway.cli("sleep", "it")).code == 0
    assert (await gateway.cli("down")).code == 0
    assert gateway.process is not None
    assert await asyncio.to_thread(gateway.process.wait, PATIENCE) == 0
    gateway.process = None


async def old_and_odd_clients(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it", idle_after="1m")})
    client = gateway.client()
    assert (await client.get("/", headers={"host": "it.test."})).status_code == 200, "a dot at the end"
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.listen)
    writer.write(b"GET / HTTP/1.0\r\nHost: it.test\r\nUser-Agent: old\r\n\r\n")
    assert b" 200 " in await reader.readline(), "HTTP/1.0"
    writer.close()


STORIES: list[Story] = [
    down_ends_even_when_envoy_dies_meanwhile,
    a_cut_does_not_wait_for_an_envoy_that_hangs,
    sigterm_calls_off_going_down,
    a_quiet_request_is_waited_for_as_long_as_it_may_be_quiet,
    a_stranger_on_the_address_is_not_the_service,
    a_service_may_change_its_name_while_it_works,
    reloads_at_the_same_moment,
    a_service_removed_while_nobody_looked_is_stopped,
    nobody_reads_the_log,
    commands_need_no_valid_file,
    old_and_odd_clients,
]


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, apart: Told) -> None:
    await apart[story.__name__]
