"""Work that no request shows keeps a service awake: also over a crash, and not for ever."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until

pytestmark = pytest.mark.slow


def services(folder: Path) -> dict[str, Json]:
    quick = {"every": "1s", "timeout": "5s"}
    return {
        "locked": service(folder, "locked", busy={"command": "test -e locked.lock", **quick}),
        "limited": service(folder, "limited", busy={"command": "true", "at_most": "3s", **quick}),
        "asked": service(folder, "asked", busy={"http": {"path": "/asked", "json": "$.length"}, **quick}),
        "broken": service(folder, "broken", busy={"http": "/status/500", "unknown_at_most": "2s", **quick}),
        "spinning": {
            **service(folder, "spinning", ready={"tcp": True}, busy={"cpu": 5, **quick}),
            "run": {"process": {"command": [sys.executable, "-c", SPIN, "{port}"], "stop_timeout": "1s"}},
        },
    }


SPIN = """
import os, socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
if not os.fork():
    while os.path.exists("spinning.lock"): pass
    os._exit(0)
while True:
    one, _ = server.accept()
    one.recv(1000)
    one.sendall(b"HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\nconnection: close\\r\\n\\r\\n")
    one.close()
"""


async def held(gateway: Up, name: str, words: str) -> None:
    async def told() -> bool:
        return words in str((await gateway.status(name))["reason"])

    await until(told, f"{name} is {words}", every=0.05)


async def test_work_puts_off_the_sleep(up: Start, tmp_path: Path) -> None:
    for name in ("locked", "spinning"):
        (tmp_path / f"{name}.lock").touch()
    gateway = await up(services)
    client = gateway.client()
    begun = time.monotonic()
    answers = await asyncio.gather(*(client.get("/hello", headers=host(name)) for name in gateway.services))
    assert [answer.status_code for answer in answers] == [200] * 5
    await gateway.until_phase("asked", "asleep")
    await gateway.until_phase("limited", "asleep")
    assert time.monotonic() - begun >= 4, "idle_after and at_most"
    await gateway.until_phase("broken", "asleep")
    (limited,) = gateway.events("limited", "busy")
    assert limited["reason"].endswith("but for more than 3s (busy.at_most)")
    first, last = gateway.events("broken", "busy")
    assert first["reason"] == "busy probe fails: GET /status/500 answers 500"
    assert last["reason"].endswith("but for more than 2s (busy.unknown_at_most)")

    await held(gateway, "locked", "busy probe: its command says so")
    await held(gateway, "spinning", "busy probe: CPU")
    gateway.kill9()
    await gateway.start()
    await held(gateway, "locked", "busy probe: its command says so")
    assert (await client.get("/still", headers=host("locked"))).status_code == 200
    assert (gateway.starts("locked"), gateway.events("locked", "stop")) == (1, [])

    (tmp_path / "spinning.lock").unlink()
    await gateway.until_phase("spinning", "asleep")
    process = gateway.process
    assert process is not None
    process.send_signal(signal.SIGINT)
    await until(lambda: "waiting for open work to end" in gateway.log.read_text(), "it waits for the work")
    await held(gateway, "locked", "because poorwill goes down; busy probe: its command says so")
    assert process.poll() is None
    (tmp_path / "locked.lock").unlink()
    await until(lambda: process.poll() == 0, "it is down")
    gateway.process = None
    assert gateway.left() == []
