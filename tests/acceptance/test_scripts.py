"""A service that people's own scripts start and stop, from the first request to its sleep."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import UPSTREAM, Json, Up, host, until
from tests.acceptance.stories import Story, Told, name_of
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

START = """\
#!/bin/sh
echo start >> starts
sleep 1
{python} {upstream} {port} --journal journal &
echo $! > pid
"""
STOP = """\
#!/bin/sh
kill "$(cat pid)" && rm pid
"""
STATUS = """\
#!/bin/sh
kill -0 "$(cat pid 2>/dev/null || echo x)" 2>/dev/null || exit 3
"""


def scripted(folder: Path, *, status: bool) -> Json:
    port = free_port()
    texts = {"start": START, "stop": STOP, "status": STATUS}
    for name, text in texts.items():
        file = folder / f"{name}.sh"
        file.write_text(text.format(python=sys.executable, upstream=UPSTREAM, port=port))
        file.chmod(0o755)
    command = {"start": "./start.sh", "stop": "./stop.sh", **({"status": "./status.sh"} if status else {})}
    return {
        "hosts": ["model.test"],
        "run": {"command": command},
        "address": f"127.0.0.1:{port}",
        "ready": {"path": "/ready", "timeout": "20s"},
        "idle_after": "1s",
        "drain": "1s",
        "hold": "30s",
    }


def gone(gateway: Up) -> bool:
    return not (gateway.folder / "pid").exists()


async def wakes_and_sleeps(up: Start) -> None:
    gateway = await up(lambda folder: {"model": scripted(folder, status=True)})
    client = gateway.client()
    for _ in range(2):
        assert (await client.get("/x", headers=host("model"))).status_code == 200
        await gateway.until_phase("model", "asleep")
        assert gone(gateway)
    assert (gateway.folder / "starts").read_text().split() == ["start", "start"]


async def without_a_status_script_the_port_tells(up: Start) -> None:
    gateway = await up(lambda folder: {"model": scripted(folder, status=False)})
    assert (await gateway.client().get("/x", headers=host("model"))).status_code == 200
    await gateway.until_phase("model", "asleep")
    assert gone(gateway)


async def killed_while_the_script_runs_it_is_started_once(up: Start) -> None:
    gateway = await up(lambda folder: {"model": scripted(folder, status=True)})
    asking = asyncio.create_task(gateway.client().get("/x", headers=host("model")))
    await until((gateway.folder / "starts").exists, "the script runs")
    gateway.kill9()
    await gateway.start()
    assert (await asking).status_code == 200
    assert (gateway.folder / "starts").read_text().split() == ["start"]


STORIES: list[Story] = [
    wakes_and_sleeps,
    without_a_status_script_the_port_tells,
    killed_while_the_script_runs_it_is_started_once,
]


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, apart: Told) -> None:
    await apart[story.__name__]
