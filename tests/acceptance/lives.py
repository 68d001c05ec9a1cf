"""Several lives of one gateway with one service called ``it``, and visitors who ask all the while."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
from tests.acceptance.running import Up, host, service, until

New = Callable[..., contextlib.AbstractAsyncContextManager[Up]]


def beginning(folder: Callable[[], Path]) -> New:
    """What starts a gateway in a fresh folder; it is put down, and proven to be down, at the end."""

    @contextlib.asynccontextmanager
    async def begin(*options: str, **settings: Any) -> AsyncIterator[Up]:
        place = folder()
        gateway = Up(place, {"it": service(place, "it", *options, **settings)})
        try:
            await gateway.start()
            yield gateway
            assert "TWO AT ONCE" not in gateway.seen("it")
            await gateway.finish()
        finally:
            await gateway.wipe()

    return begin


async def ask(client: httpx2.AsyncClient, number: int) -> None:
    """Every second one with a body; it must be answered as if nothing had happened."""
    if number % 2:
        answer = await client.get(f"/{number}", headers=host("it"))
    else:
        body = os.urandom(3000)
        answer = await client.post(f"/{number}", headers=host("it"), content=body)
        assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()
    assert answer.status_code == 200
    assert answer.json()["target"] == f"/{number}"


def asking(gateway: Up, count: int) -> asyncio.Future[list[None]]:
    client = gateway.client()
    return asyncio.gather(*(ask(client, number) for number in range(count)))


async def falls_asleep(gateway: Up) -> None:
    """By itself: it need not stay awake any more."""
    gateway.services["it"]["idle_after"] = "1s"
    gateway.write()
    await gateway.post("/api/v1/reload")
    await gateway.until_phase("it", "asleep")


def history(gateway: Up) -> str:
    """For whoever reads of a failure."""
    found = gateway.events("it")
    return "\n".join(f"{one['mono']:.3f} {one['kind']} {one['detail']} {one['reason']}" for one in found)


async def kill_then_answers_then_sleeps(gateway: Up, asked: asyncio.Future[list[None]], starts: int) -> None:
    """Nothing may sleep while starts are counted: on a slow machine a second is over between two requests."""
    gateway.kill9()
    gateway.services["it"]["idle_after"] = "60s"
    await gateway.start()
    await asked
    assert gateway.starts("it") == starts, history(gateway)
    await falls_asleep(gateway)
    assert gateway.starts("it") == starts, history(gateway)
    assert gateway.children() == []
    await until(lambda: len(gateway.events("it", "stopped")) == starts, "each stop is written down")
