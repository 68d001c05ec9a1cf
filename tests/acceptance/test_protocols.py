"""Everything that people send to a service passes unharmed, and through a wake as well."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import httpx2
import psutil
import pytest
import pytest_asyncio
from tests.acceptance.conftest import Start
from tests.acceptance.running import PATIENCE, Json, Up, host, service
from websockets.asyncio.client import connect

pytestmark = pytest.mark.asyncio(loop_scope="module")

MEGABYTE = 1024 * 1024


def services(folder: Path) -> dict[str, Json]:
    late = ("--startup", "0.4")
    return {
        "one": service(folder, "one", *late, idle_after="1m"),
        "two": service(folder, "two", *late, idle_after="1m"),
        "socket": service(folder, "socket", *late, idle_after="1m"),
        "events": service(folder, "events", *late, idle_after="1m"),
        "rpc": service(folder, "rpc", "--grpc", protocol="http2", ready={"tcp": True}, idle_after="1m"),
        "uploads": service(folder, "uploads", *late, idle_after="1m"),
        "left": service(folder, "left", "--opens-when", "left-may", idle_after="1m"),
        "large": service(folder, "large", idle_after="1m"),
        "slow": service(folder, "slow", "--opens-when", "slow-may", idle_after="1m"),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> Up:
    return await shared_up(services)


async def test_http1_keeps_method_path_headers_and_body(gateway: Up) -> None:
    body = os.urandom(100_000)
    answer = await gateway.client().put(
        "/a%20b/c?d=e&f", headers={**host("one"), "x-mine": "yes", "accept": "*/*"}, content=body
    )
    assert answer.status_code == 200
    seen = answer.json()
    assert (seen["method"], seen["target"]) == ("PUT", "/a%20b/c?d=e&f")
    assert seen["headers"]["x-mine"] == "yes"
    assert seen["headers"]["host"] == "one.test"
    assert seen["sha256"] == hashlib.sha256(body).hexdigest()


async def test_http2_without_tls_is_held_over_a_wake(gateway: Up) -> None:
    client = gateway.client(http1=False, http2=True)
    bodies = [os.urandom(1000) for _ in range(20)]
    answers = await asyncio.gather(
        *(client.post(f"/{number}", headers=host("two"), content=body) for number, body in enumerate(bodies))
    )
    for number, (answer, body) in enumerate(zip(answers, bodies, strict=True)):
        assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
        assert answer.json()["target"] == f"/{number}"
        assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()
    assert gateway.starts("two") == 1


async def test_a_websocket_is_held_over_a_wake_and_then_echoes(gateway: Up) -> None:
    url = f"ws://socket.test:{gateway.listen}/socket"
    async with connect(url, host="127.0.0.1", proxy=None, open_timeout=PATIENCE) as socket:
        assert gateway.starts("socket") == 1
        for text in ("hello", "你好", "x" * 60_000):
            await socket.send(text)
            assert await socket.recv() == text


async def test_events_come_one_by_one_and_not_at_the_end(gateway: Up) -> None:
    path = "/sse?count=10&every=0.2"
    async with gateway.client().stream("GET", path, headers=host("events")) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        came = [(line, time.time()) async for line in answer.aiter_lines() if line]
    sent_last = json.loads(came[-1][0].removeprefix("data: "))["at"]
    assert len(came) == 10
    assert came[0][1] < sent_last, "the first came only after the last had been sent"


async def test_grpc_is_held_over_a_wake_and_streams_both_ways(gateway: Up) -> None:
    options = [("grpc.default_authority", "rpc.test")]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.listen}", options=options) as channel:
        say = channel.unary_unary("/echo.Echo/Say")
        answers = await asyncio.gather(*(say(f"{n}".encode(), timeout=PATIENCE) for n in range(10)))
        assert answers == [f"{n}".encode() for n in range(10)]

        async def questions() -> AsyncIterator[bytes]:
            for n in range(3):
                yield f"stream {n}".encode()

        talk = channel.stream_stream("/echo.Echo/Talk")
        assert [answer async for answer in talk(questions())] == [b"stream 0", b"stream 1", b"stream 2"]
    assert gateway.starts("rpc") == 1


async def test_200_megabytes_are_uploaded_over_a_wake_without_filling_envoys_memory(gateway: Up) -> None:
    envoy = psutil.Process(gateway.envoy_pid())
    before, digest, block = envoy.memory_info().rss, hashlib.sha256(), os.urandom(MEGABYTE)
    highest = before

    async def blocks() -> AsyncIterator[bytes]:
        nonlocal highest
        for number in range(200):
            part = number.to_bytes(4) + block[4:]
            digest.update(part)
            highest = max(highest, envoy.memory_info().rss)
            yield part

    answer = await gateway.client().post("/upload", headers=host("uploads"), content=blocks())
    assert answer.status_code == 200
    assert answer.json()["length"] == 200 * MEGABYTE
    assert answer.json()["sha256"] == digest.hexdigest()
    assert highest - before < 40 * MEGABYTE


async def test_many_held_uploads_are_not_kept_in_memory(gateway: Up) -> None:
    envoy = psutil.Process(gateway.envoy_pid())
    before, client, body = envoy.memory_info().rss, gateway.client(), os.urandom(5 * MEGABYTE)
    posts = [asyncio.create_task(client.post("/", headers=host("left"), content=body)) for _ in range(40)]
    await gateway.until_waiting("left", 40)
    assert envoy.memory_info().rss - before < 60 * MEGABYTE
    (gateway.folder / "left-may").touch()
    for answer in await asyncio.gather(*posts):
        assert (answer.status_code, answer.json()["length"]) == (200, 5 * MEGABYTE)
    assert gateway.starts("left") == 1


async def test_headers_of_64_kilobytes_get_431(gateway: Up) -> None:
    client = gateway.client()
    answer = await client.get("/", headers={**host("large"), "x-large": "x" * 65_536})
    assert answer.status_code == 431
    assert gateway.starts("large") == 0
    fits = await client.get("/", headers={**host("large"), "x-large": "x" * 50_000})
    assert len(fits.json()["headers"]["x-large"]) == 50_000


async def test_who_hangs_up_while_held_is_no_longer_counted(gateway: Up) -> None:
    client = gateway.client()
    asking = [asyncio.create_task(client.get(f"/{number}", headers=host("slow"))) for number in range(5)]
    await gateway.until_waiting("slow", 5)
    for task in asking[:3]:
        task.cancel()
    await gateway.until_waiting("slow", 2)
    brief = httpx2.Timeout(PATIENCE, read=0.2)
    with pytest.raises(httpx2.ReadTimeout):
        await client.post("/gone", headers=host("slow"), content=b"x", timeout=brief)
    await gateway.until_waiting("slow", 2)
    (gateway.folder / "slow-may").touch()
    answers = await asyncio.gather(*asking[3:])
    assert [answer.status_code for answer in answers] == [200, 200]
    assert sorted(set(gateway.requests("slow"))) == ["GET /3", "GET /4", "GET /ready"]
