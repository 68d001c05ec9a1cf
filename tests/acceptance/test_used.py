"""What the journal says of visitors is what the visitors did, whatever dies in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from pathlib import Path

import psutil
import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until

from poorwill.core.stretch import Stretch, joined, stretch_from

GAP = 2.0

HURRY = f"""
from poorwill.control import energy, using
from poorwill.core.using import Pace

using.LOOK, using.PACE = 0.1, Pace(gap={GAP}, write_every=3.0)
energy.EVERY, energy.WRITE_EVERY = 0.5, 3.0
"""

SMI = """#!/bin/sh
case "$1" in
--query-gpu=index,uuid,power.draw) echo "0, GPU-1, 360.00"; echo "1, GPU-2, [N/A]" ;;
--query-gpu=memory.used) echo 1024 ;;
*) echo "not a valid field to query"; exit 2 ;;
esac
"""

PRICE = {"watts": 500, "per_kwh": "0.60 CNY", "measured": True}


def written(gateway: Up) -> list[Stretch]:
    return [stretch_from(event["service"], event["detail"]) for event in gateway.events("notes", "used")]


@pytest.mark.slow
async def test_what_is_written_is_what_the_visitors_did(up: Start, tmp_path: Path) -> None:
    def services(folder: Path) -> dict[str, Json]:
        more = {"idle_after": "60s", "price": PRICE, "gpu": 0}
        return {"notes": service(folder, "notes", "--startup", "3", **more)}

    hurry = tmp_path / "hurry"
    hurry.mkdir()
    (hurry / "sitecustomize.py").write_text(HURRY)
    (hurry / "nvidia-smi").write_text(SMI)
    (hurry / "nvidia-smi").chmod(0o755)
    variables = {"PYTHONPATH": str(hurry), "PATH": f"{hurry}:{os.environ['PATH']}"}
    gateway = await up(services, variables=variables)
    client = gateway.client()
    begun = time.time()

    async def ask() -> float:
        assert (await client.post("/", headers=host("notes"))).status_code == 200
        return time.time() - begun

    async def look() -> float:
        """The page, and its stream of events until that says that the service is there."""
        async with client.stream("GET", events, headers=host("notes")) as stream:
            async for line in stream.aiter_lines():
                if '"ready": true' in line:
                    return time.time() - begun
        raise AssertionError("the stream ended before the service was there")

    held = [asyncio.ensure_future(ask()) for _ in range(3)]
    page = await client.get("/", headers={**host("notes"), "accept": "text/html"})
    [events] = re.findall(r'"events": "([^"]+)"', page.text)
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
    asyncio.get_running_loop().call_soon(child.resume)
    waits = await asyncio.gather(*held[:2], look())
    await ask()
    last = time.time()

    first, *_ = await until(lambda: written(gateway), "a minute of two seconds is over")
    assert (first.requests, first.waited, first.gave_up, first.refused) == (3, 3, 1, 0)
    assert first.longest_wait == pytest.approx(max(waits), abs=1.0), "from its own beginning, not the restart"
    assert first.wait_seconds == pytest.approx(sum(waits), abs=3.0)
    assert begun <= first.start <= begun + min(waits) + 1.0
    assert first.end == pytest.approx(last, abs=3.0), "Envoy is read once a second"

    await asyncio.sleep(0.5)  # not within a hair's breadth of the gap
    asked = 0
    while len(written(gateway)) < 2:
        await ask()
        asked += 1
        await asyncio.sleep(0.1)
    for _ in range(3):
        await ask()
    assert await gateway.terminate() == 0
    meters = [one["detail"] for one in gateway.events("notes", "meter")]
    seconds = sum(one["until"] - one["since"] for one in meters)
    assert seconds > 3.0, "what was measured is written while it goes on, and when the program leaves"
    assert sum(float(one["kwh"]) for one in meters) == pytest.approx(seconds * 0.0001, rel=0.01)
    parts = written(gateway)[1:]
    assert len(parts) == 2, "one after three seconds, and what was left when the program left"
    assert sum(one.requests for one in parts) == asked + 3
    assert parts[1].start == parts[0].end
    assert [one.requests for one in joined(written(gateway), GAP)] == [3, asked + 3]
    assert parts[1].gpu_memory == 1024**3

    await gateway.start()
    await ask()
    [last_one] = await until(lambda: written(gateway)[3:], "it is over, too")
    assert last_one.requests == 1, "nobody is counted again"
