"""Five thousand at once to a service that sleeps: one start, bounded memory, every one answered."""

from __future__ import annotations

import asyncio

import psutil
import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import Up, service, until

SIZE = 5000
REQUEST = b"POST / HTTP/1.1\r\nhost: it.test\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
MORE = 0.2
"""MB of memory that a held request may cost, in Envoy and in the control plane together."""


async def ask(gateway: Up) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.listen)
    try:
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()
    status = int(head.split(b" ", 2)[1])
    assert status == 200 or b"retry-after:" in head.lower()
    return status


def memory(gateway: Up) -> float:
    return sum(psutil.Process(pid).memory_info().rss / 1e6 for pid in (gateway.pid, gateway.envoy_pid()))


@pytest.mark.slow
async def test_a_herd_wakes_once_and_is_served_in_turn(up: Start) -> None:
    gateway = await up(
        lambda folder: {
            "it": service(
                folder,
                "it",
                *("--opens-when", "open", "--slots", "8"),
                concurrency=8,
                max_held=SIZE - 500,
                hold="120s",
                idle_after="30s",
            )
        }
    )
    before = memory(gateway)
    asked = [asyncio.create_task(ask(gateway)) for _ in range(SIZE)]
    await gateway.until_waiting("it", SIZE - 500)
    await until(lambda: sum(one.done() for one in asked) == 500, "the others are told so")
    assert memory(gateway) - before < SIZE * MORE
    waiting = [one for one in asked if not one.done()]
    for one in waiting[:400]:
        one.cancel()
    await gateway.until_waiting("it", SIZE - 500 - 400)
    (gateway.folder / "open").touch()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert answers.count(200) == SIZE - 500 - 400
    assert answers.count(503) == 500
    assert gateway.starts("it") == 1
    seen = gateway.requests("it")
    assert not any("TRAMPLED" in line for line in seen)
    assert seen.count("POST /") == SIZE - 500 - 400, "who gave up was dropped"
