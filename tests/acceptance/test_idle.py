"""When a service goes back to sleep, and what does and does not keep it awake."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service
from tests.acceptance.stories import Story, Told, chosen, name_of, told
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.asyncio(loop_scope="module")

IDLE, DRAIN = 2.0, 2.0
SLACK = 4.0
"""Seconds by which a busy machine may be late."""


def services(folder: Path) -> dict[str, Json]:
    plain = {"idle_after": f"{IDLE:g}s", "drain": f"{DRAIN:g}s"}
    names = (
        "unused used silent-socket talking-socket comments answering cut background-stream background-polls"
    )
    made = {name: service(folder, name, **plain) for name in names.split()}
    for name in ("background-stream", "background-polls"):
        made[name]["traffic"] = {"background": ["/heartbeat/*"]}
    made["busy"] = service(folder, "busy", **plain, traffic={"busy": ["POST /index/**"]})
    made["called-off"] = service(folder, "called-off", idle_after="1s", drain="20s")
    made["resumed"] = service(folder, "resumed", idle_after=f"{IDLE:g}s", drain="20s")
    made["too-late"] = service(folder, "too-late", "--linger", "1.5", idle_after="1s")
    made["by-hand"] = service(folder, "by-hand", idle_after="1s")
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> Up:
    return await shared_up(services)


async def awake(gateway: Up, name: str) -> int:
    """Wake it; the process id of its answer."""
    answer = await gateway.client().get("/", headers=host(name))
    assert answer.status_code == 200
    pid: int = answer.json()["pid"]
    return pid


@contextlib.asynccontextmanager
async def socket_to(gateway: Up, name: str, ping: float | None) -> AsyncIterator[object]:
    url = f"ws://{name}.test:{gateway.listen}/socket"
    async with connect(url, host="127.0.0.1", proxy=None, open_timeout=20, ping_interval=ping) as socket:
        yield socket


async def sleeps_after_the_last_request(gateway: Up) -> None:
    await awake(gateway, "unused")
    begun = time.monotonic()
    await gateway.until_phase("unused", "asleep")
    assert IDLE - 0.3 < time.monotonic() - begun < IDLE + SLACK
    assert gateway.children("unused") == []
    told = [event["kind"] for event in gateway.events("unused")]
    kinds = [kind for kind in told if kind not in ("phase", "there", "gone")]
    assert kinds == ["woken", "start", "started", "ready", "stop", "stopped"]
    stop = gateway.events("unused", "stop")[0]
    assert stop["reason"] == "no activity for 2s"


async def every_request_puts_the_sleep_off(gateway: Up) -> None:
    pid, client = await awake(gateway, "used"), gateway.client()
    begun = time.monotonic()
    while time.monotonic() - begun < 2 * IDLE + 1:
        answer = await client.get("/", headers=host("used"))
        assert answer.json()["pid"] == pid
        await asyncio.sleep(0.3)
    await gateway.until_phase("used", "asleep")
    assert gateway.starts("used") == 1


async def a_silent_websocket_does_not_keep_it_awake(gateway: Up) -> None:
    async with socket_to(gateway, "silent-socket", ping=3.0) as socket:
        begun = time.monotonic()
        with pytest.raises(ConnectionClosed):
            await socket.recv()  # type: ignore[attr-defined]
        assert time.monotonic() - begun > IDLE + DRAIN - 0.5, "cut only after the drain"
    assert time.monotonic() - begun < IDLE + DRAIN + SLACK
    await gateway.until_phase("silent-socket", "asleep")


async def a_websocket_that_talks_keeps_it_awake(gateway: Up) -> None:
    async with socket_to(gateway, "talking-socket", ping=None) as socket:
        begun = time.monotonic()
        while time.monotonic() - begun < IDLE + DRAIN + 2:
            await socket.send("x" * 300)  # type: ignore[attr-defined]
            assert len(await socket.recv()) == 300  # type: ignore[attr-defined]
            await asyncio.sleep(0.3)
        assert (await gateway.status("talking-socket"))["phase"] == "awake"
        await gateway.until_phase("talking-socket", "asleep")
    assert gateway.starts("talking-socket") == 1


async def keep_alive_comments_do_not_keep_it_awake(gateway: Up) -> None:
    begun = time.monotonic()
    path = "/keepalive?every=0.7"
    with contextlib.suppress(httpx2.RemoteProtocolError):
        async with gateway.client().stream("GET", path, headers=host("comments")) as answer:
            begun = time.monotonic()
            async for _ in answer.aiter_bytes():
                assert time.monotonic() - begun < IDLE + DRAIN + SLACK
    assert time.monotonic() - begun > IDLE + DRAIN - 0.5
    await gateway.until_phase("comments", "asleep")


async def a_streaming_answer_keeps_it_awake_to_its_end(gateway: Up) -> None:
    path = "/sse?count=30&every=0.25"
    async with gateway.client().stream("GET", path, headers=host("answering")) as answer:
        events = [line async for line in answer.aiter_lines() if line]
    assert len(events) == 30, "longer than idle_after and drain together"
    assert gateway.starts("answering") == 1
    await gateway.until_phase("answering", "asleep")


async def a_quiet_request_on_a_busy_path_is_waited_for(gateway: Up) -> None:
    seconds = IDLE + DRAIN + 3
    answer = await gateway.client().post(f"/index/all?seconds={seconds}", headers=host("busy"), content=b"x")
    assert answer.status_code == 200
    assert gateway.starts("busy") == 1
    assert (await gateway.status("busy"))["phase"] == "awake", "the idle time begins at its end"
    await gateway.until_phase("busy", "asleep")


async def a_quiet_request_elsewhere_is_cut_after_the_drain(gateway: Up) -> None:
    """The stated price of not listing such a path under `busy`."""
    await awake(gateway, "cut")
    begun = time.monotonic()
    answer = await gateway.client().get("/?seconds=30", headers=host("cut"))
    assert answer.status_code == 503
    assert IDLE + DRAIN - 0.5 < time.monotonic() - begun < IDLE + DRAIN + SLACK


async def a_background_stream_does_not_keep_it_awake(gateway: Up) -> None:
    await awake(gateway, "background-stream")
    begun, came = time.monotonic(), 0
    path = "/heartbeat/sse?every=0.05"
    with contextlib.suppress(httpx2.RemoteProtocolError):
        async with gateway.client().stream("GET", path, headers=host("background-stream")) as answer:
            assert answer.status_code == 200
            async for _ in answer.aiter_bytes():
                came += 1
    assert came > 10
    assert time.monotonic() - begun < IDLE + SLACK, "it does not even delay the sleep by the drain"
    await gateway.until_phase("background-stream", "asleep")


async def background_requests_neither_keep_it_awake_nor_wake_it(gateway: Up) -> None:
    await awake(gateway, "background-polls")
    client, begun, statuses = gateway.client(), time.monotonic(), []
    while (await gateway.status("background-polls"))["phase"] != "asleep":
        assert time.monotonic() - begun < IDLE + SLACK
        statuses.append((await client.get("/heartbeat/1", headers=host("background-polls"))).status_code)
        await asyncio.sleep(0.1)
    assert statuses[0] == 200
    for _ in range(5):
        assert (await client.get("/heartbeat/1", headers=host("background-polls"))).status_code == 503
    assert (await gateway.status("background-polls"))["phase"] == "asleep"
    assert gateway.starts("background-polls") == 1


async def a_request_during_the_drain_calls_the_sleep_off(gateway: Up) -> None:
    async with socket_to(gateway, "called-off", ping=None) as socket:
        pid = await awake(gateway, "called-off")
        await gateway.until_phase("called-off", "draining")
        answer = await gateway.client().post("/late", headers=host("called-off"), content=b"x")
        assert (answer.status_code, answer.json()["pid"]) == (200, pid)
        await gateway.until_phase("called-off", "awake")
        await socket.send("still here")  # type: ignore[attr-defined]
        assert await socket.recv() == "still here"  # type: ignore[attr-defined]
    await gateway.until_phase("called-off", "asleep")
    assert gateway.starts("called-off") == 1


async def a_stream_that_talks_again_during_the_drain_calls_the_sleep_off(gateway: Up) -> None:
    async with socket_to(gateway, "resumed", ping=None) as socket:
        await gateway.until_phase("resumed", "draining")
        begun = time.monotonic()
        while time.monotonic() - begun < IDLE + 1:
            await socket.send("x" * 300)  # type: ignore[attr-defined]
            assert len(await socket.recv()) == 300  # type: ignore[attr-defined]
            await asyncio.sleep(0.2)
        assert (await gateway.status("resumed"))["phase"] == "awake"
    told = gateway.events("resumed", "phase")  # also when only the reason is another
    phases = [phase for phase, _ in groupby(event["detail"]["phase"] for event in told)]
    assert phases == ["asleep", "waking", "awake", "draining", "waking", "awake"]


async def a_request_during_the_stop_is_held_until_the_next_wake(gateway: Up) -> None:
    pid = await awake(gateway, "too-late")
    await gateway.until_phase("too-late", "stopping")
    answer = await gateway.client().post("/late", headers=host("too-late"), content=b"abc")
    assert answer.status_code == 200
    assert answer.json()["pid"] != pid
    assert gateway.starts("too-late") == 2


async def a_person_keeps_it_awake_for_a_while(gateway: Up) -> None:
    begun = time.monotonic()
    await gateway.post("/api/v1/services/by-hand/wake", {"seconds": 4, "by": "by a test"})
    row = await gateway.until_phase("by-hand", "awake")
    assert row["reason"] == "kept awake by a test"
    await gateway.until_phase("by-hand", "asleep")
    assert 3.0 < time.monotonic() - begun < 4 + SLACK


STORIES: list[Story] = [
    sleeps_after_the_last_request,
    every_request_puts_the_sleep_off,
    a_silent_websocket_does_not_keep_it_awake,
    a_websocket_that_talks_keeps_it_awake,
    keep_alive_comments_do_not_keep_it_awake,
    a_streaming_answer_keeps_it_awake_to_its_end,
    a_quiet_request_on_a_busy_path_is_waited_for,
    a_quiet_request_elsewhere_is_cut_after_the_drain,
    a_background_stream_does_not_keep_it_awake,
    background_requests_neither_keep_it_awake_nor_wake_it,
    a_request_during_the_drain_calls_the_sleep_off,
    a_stream_that_talks_again_during_the_drain_calls_the_sleep_off,
    a_request_during_the_stop_is_held_until_the_next_wake,
    a_person_keeps_it_awake_for_a_while,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stories(request: pytest.FixtureRequest, gateway: Up) -> AsyncIterator[Told]:
    async for tasks in told(chosen(request), gateway):
        yield tasks


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, stories: Told) -> None:
    await stories[story.__name__]
