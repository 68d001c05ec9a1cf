"""A sleep that is called off at the last moment is put off by all of ``idle_after``."""

from __future__ import annotations

import time
from pathlib import Path

from tests.acceptance.conftest import Start
from tests.acceptance.running import PATIENCE, Json, host, service, until
from websockets.asyncio.client import connect

IDLE_AFTER = 2.0


def services(folder: Path) -> dict[str, Json]:
    return {"a": service(folder, "a", idle_after=f"{IDLE_AFTER:g}s", drain="20s")}


async def test_what_called_it_off_is_remembered(up: Start) -> None:
    """Bytes on a stream that was open all the while do it too; the gate hears nothing of them."""
    gateway = await up(services)
    url = f"ws://a.test:{gateway.listen}/socket"
    async with connect(
        url, host="127.0.0.1", proxy=None, open_timeout=PATIENCE, ping_interval=None
    ) as socket:
        await until(lambda: "draining" in gateway.phases("a"), "it is to sleep")
        sent = time.time()
        await socket.send("x" * 2000)
        assert len(await socket.recv()) == 2000
        await until(lambda: gateway.phases("a").count("draining") == 2, "it is to sleep again")
    await gateway.until_phase("a", "asleep")
    assert (await gateway.client().get("/", headers=host("a"))).status_code == 200

    phases = [(event["detail"]["phase"], event["at"]) for event in gateway.events("a", "phase")]
    reached = [phase for phase, _ in phases]
    first = reached.index("draining")
    again = reached.index("draining", first + 1)
    back = reached.index("awake", first)
    assert first < back < again
    assert phases[again][1] - sent > IDLE_AFTER - 0.1
