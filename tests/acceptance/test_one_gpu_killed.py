"""The control plane is killed while one service makes room for another: nothing is cut, nothing overlaps."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, host, service


def two(folder: Path) -> dict[str, Json]:
    share = {"name": 0, "min_awake": "1s"}
    return {name: service(folder, name, idle_after="1m", gpu=share) for name in ("chat", "images")}


@pytest.mark.slow
async def test_the_swap_goes_on_where_it_was(up: Start) -> None:
    gateway = await up(two)
    client = gateway.client()
    async with client.stream("GET", "/sse?count=36&every=0.25", headers=host("chat")) as stream:
        lines = stream.aiter_lines()
        await anext(lines)
        held = asyncio.create_task(client.get("/", headers=host("images")))
        await gateway.until_phase("chat", "draining")
        gateway.kill9()
        await gateway.start()
        rest = [line async for line in lines if line.startswith("data:")]
    assert json.loads(rest[-1].removeprefix("data:"))["number"] == 35, "the stream was not cut"
    assert (await held).status_code == 200
    kinds = ("start", "stopped")
    order = [(event["kind"], event["service"]) for event in gateway.events() if event["kind"] in kinds]
    assert order == [("start", "chat"), ("stopped", "chat"), ("start", "images")]
