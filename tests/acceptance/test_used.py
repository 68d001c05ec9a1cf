"""What the journal says of visitors is what the visitors did, whatever dies in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import psutil
import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until

from poorwill.core.stretch import Stretch, joined, stretch_from

GAP = 2.0

HURRY = f"""
from poorwill.control import using
from poorwill.core.using import Pace

using.LOOK, using.PACE = 0.1, Pace(gap={GAP}, write_every=3.0)
"""


def written(gateway: Up) -> list[Stretch]:
    return [stretch_from(event["service"], event["detail"]) for event in gateway.events("notes", "used")]


@pytest.mark.slow
async def test_what_is_written_is_what_the_visitors_did(up: Start, tmp_path: Path) -> None:
    def services(folder: Path) -> dict[str, Json]:
        return {"notes": service(folder, "notes", "--startup", "3", idle_after="60s")}

    hurry = tmp_path / "hurry"
    hurry.mkdir()
    (hurry / "sitecustomize.py").write_text(HURRY)
    gateway = await up(services, variables={"PYTHONPATH": str(hurry)})
    client = gateway.client()
    begun = time.time()

    async def ask() -> float:
        assert (await client.post("/", headers=host("notes"))).status_code == 200
        return time.time() - begun

    held = [asyncio.ensure_future(ask()) for _ in range(3)]
    [line] = await until(lambda: gateway.seen("notes"), "the service starts")
    child = psutil.Process(int(line.split()[1]))
    child.suspend()  # a start that takes as long as this test likes
    await gateway.until_waiting("notes", 3)
    gateway.kill9()
    await gateway.start()
    await gateway.until_waiting("notes", 3)
    held[2].cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await held[2]
    await gateway.until_waiting("notes", 2)
    child.resume()
    waits = await asyncio.gather(*held[:2])
    await ask()
    last = time.time()

    [first] = await until(lambda: written(gateway), "a minute of two seconds is over")
    assert (first.requests, first.waited, first.gave_up, first.refused) == (3, 2, 1, 0)
    assert first.longest_wait == pytest.approx(max(waits), abs=0.5), "from its own beginning, not the restart"
    assert first.wait_seconds == pytest.approx(sum(waits), abs=1.0)
    assert begun <= first.start <= begun + min(waits) + 0.2
    assert first.end == pytest.approx(last, abs=1.5), "Envoy is read once a second"

    await asyncio.sleep(0.5)  # not within a hair's breadth of the gap
    asked = 0
    while len(written(gateway)) < 2:
        await ask()
        asked += 1
        await asyncio.sleep(0.1)
    for _ in range(3):
        await ask()
    assert await gateway.terminate() == 0
    parts = written(gateway)[1:]
    assert len(parts) == 2, "one after three seconds, and what was left when the program left"
    assert sum(one.requests for one in parts) == asked + 3
    assert parts[1].start == parts[0].end
    assert [one.requests for one in joined(written(gateway), GAP)] == [3, asked + 3]

    await gateway.start()
    await ask()
    await gateway.post("/api/v1/down")
    process = gateway.process
    assert process is not None
    await until(lambda: process.poll() is not None, "poorwill is down")
    assert [one.requests for one in written(gateway)[3:]] == [1], "nobody is counted again"
