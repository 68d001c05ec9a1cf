"""The control plane dies: what is held is answered, what is awake is served, what was said holds."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator

import httpx2
import psutil
import pytest
import pytest_asyncio
from tests.acceptance.lives import New, ask, asking, falls_asleep
from tests.acceptance.running import Json, Up, host, until
from tests.acceptance.stories import Story, Told, chosen, name_of, told

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def two_hundred_held_requests_outlive_the_control_plane(new: New) -> None:
    async with new("--opens-when", "open", idle_after="30s") as gateway:
        asked = asking(gateway, 200)
        await gateway.until_waiting("it", 200)
        gateway.kill9()
        await gateway.start()
        (gateway.folder / "open").touch()
        await asked
        assert gateway.starts("it") == 1
        seen = [line.partition("/")[2] for line in gateway.requests("it") if "/ready" not in line]
        assert sorted(map(int, seen)) == list(range(200)), "each reached the service exactly once"


async def held_requests_outlive_an_outage_in_which_the_service_gets_ready(new: New) -> None:
    async with new("--startup", "1", idle_after="30s") as gateway:
        asked = asking(gateway, 20)
        await gateway.until_waiting("it", 20)
        await until(lambda: gateway.events("it", "started"), "the start is under way")
        gateway.kill9()
        late = asking(gateway, 20)
        port = _port(gateway)
        await until(lambda: _listens(port), "the service listens while there is no control plane")
        await gateway.start()
        await asyncio.gather(asked, late)
        assert gateway.starts("it") == 1


async def while_awake_nobody_notices_that_the_control_plane_is_dead(new: New) -> None:
    async with new(idle_after="60s") as gateway:
        client = gateway.client()
        child = (await client.get("/", headers=host("it"))).json()["pid"]
        await gateway.until_phase("it", "awake")
        envoy = gateway.envoy_pid()
        gateway.kill9()
        for number in range(50):
            await ask(client, number)
        await gateway.start()
        assert gateway.envoy_pid() == envoy
        assert [one.pid for one in gateway.envoys()] == [envoy]
        assert (await client.get("/", headers=host("it"))).json()["pid"] == child
        assert gateway.starts("it") == 1
        await until(
            lambda: gateway.events("", "gateway")[-1]["reason"] == "envoy adopted", "that is written down"
        )
        await falls_asleep(gateway)
        assert gateway.children() == []
        await ask(client, 1)
        assert gateway.starts("it") == 2


async def sigterm_leaves_everything_to_the_next_one(new: New) -> None:
    async with new("--opens-when", "open", idle_after="30s") as gateway:
        asked = asking(gateway, 50)
        await gateway.until_waiting("it", 50)
        envoy = gateway.envoy_pid()
        assert await gateway.terminate() == 0
        (gateway.folder / "open").touch()
        await gateway.start()
        await asked
        assert gateway.envoy_pid() == envoy
        assert gateway.starts("it") == 1


async def the_control_plane_and_envoy_die_together(new: New) -> None:
    async with new(idle_after="30s") as gateway:
        client = gateway.client()
        child = (await client.get("/", headers=host("it"))).json()["pid"]
        psutil.Process(gateway.envoy_pid()).kill()
        gateway.kill9()
        await gateway.start()
        assert len(gateway.envoys()) == 1
        assert (await client.get("/", headers=host("it"))).json()["pid"] == child
        assert gateway.starts("it") == 1


async def envoy_dies_while_there_is_no_control_plane(new: New) -> None:
    async with new(idle_after="30s") as gateway:
        client = gateway.client()
        child = (await client.get("/", headers=host("it"))).json()["pid"]
        await gateway.until_phase("it", "awake")
        gateway.kill9()
        before = gateway.envoy_pid()
        psutil.Process(before).kill()
        await until(lambda: any(one.pid != before for one in gateway.envoys()), "there is another one")

        async def served() -> bool:
            try:
                return bool((await client.get("/", headers=host("it"))).json()["pid"] == child)
            except httpx2.TransportError:
                return False

        await until(served, "what is awake is served on")
        await gateway.start()
        assert len(gateway.envoys()) == 1
        assert gateway.starts("it") == 1
        await until(
            lambda: gateway.events("", "gateway")[-1]["reason"] == "envoy adopted", "it was not replaced"
        )


async def the_child_dies_while_there_is_no_control_plane(new: New) -> None:
    async with new(idle_after="30s") as gateway:
        client = gateway.client()
        child = (await client.get("/", headers=host("it"))).json()["pid"]
        await until(lambda: gateway.events("it", "ready"), "that it was ready is written down")
        gateway.kill9()
        psutil.Process(child).kill()
        await until(lambda: not psutil.pid_exists(child), "it is dead")
        asked = asyncio.create_task(client.post("/", headers=host("it"), content=b"x"))
        await gateway.start()
        answer = await asked
        assert answer.status_code == 200
        assert answer.json()["pid"] != child
        [crash] = gateway.events("it", "crashed")
        assert "killed by signal 9" in crash["reason"]


async def an_envoy_that_was_never_written_down_is_taken_over(new: New) -> None:
    async with new() as gateway:
        gateway.kill9()
        (gateway.state / "envoy" / "envoy.json").unlink()
        await gateway.start()
        assert len(gateway.envoys()) == 1
        await asking(gateway, 2)


async def a_person_who_said_sleep_is_obeyed_after_a_restart(new: New) -> None:
    async with new() as gateway:
        await gateway.post("/api/v1/services/it/sleep", {"by": "by a test"})
        gateway.kill9()
        await gateway.start()
        row: Json = await gateway.until_phase("it", "asleep")
        assert row["reason"] == "put to sleep by a test"
        answer = await gateway.client().post("/", headers=host("it"))
        assert answer.status_code == 503
        assert gateway.starts("it") == 0


async def interrupted_while_it_comes_back_it_puts_everything_to_sleep(new: New) -> None:
    async with new(idle_after="60s") as gateway:
        await asking(gateway, 2)
        gateway.kill9()
        before = gateway.log.stat().st_size
        gateway.process = process = gateway.spawn()
        await until(lambda: b"adopted" in gateway.log.read_bytes()[before:], "it takes over", every=0.001)
        process.send_signal(signal.SIGINT)
        await until(lambda: process.poll() is not None, "it is down")
        gateway.process = None
        assert process.returncode == 0
        assert gateway.left() == []


def _port(gateway: Up) -> int:
    port: int = gateway.events("it", "start")[-1]["detail"]["prepared"]["port"]
    return port


def _listens(port: int) -> bool:
    return any(one.laddr.port == port for one in psutil.net_connections("tcp") if one.status == "LISTEN")


STORIES: list[Story] = [
    two_hundred_held_requests_outlive_the_control_plane,
    held_requests_outlive_an_outage_in_which_the_service_gets_ready,
    while_awake_nobody_notices_that_the_control_plane_is_dead,
    sigterm_leaves_everything_to_the_next_one,
    the_control_plane_and_envoy_die_together,
    envoy_dies_while_there_is_no_control_plane,
    the_child_dies_while_there_is_no_control_plane,
    an_envoy_that_was_never_written_down_is_taken_over,
    a_person_who_said_sleep_is_obeyed_after_a_restart,
    interrupted_while_it_comes_back_it_puts_everything_to_sleep,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stories(request: pytest.FixtureRequest, new: New) -> AsyncIterator[Told]:
    async for tasks in told(chosen(request), new, at_once=4):
        yield tasks


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, stories: Told) -> None:
    await stories[story.__name__]
