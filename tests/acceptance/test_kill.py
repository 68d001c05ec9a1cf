"""The control plane is killed at the worst moments: nothing is lost, started twice or forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import pytest_asyncio
from tests.acceptance.running import Json, Up, host, service, until
from tests.acceptance.stories import Story, Told, chosen, name_of, told

pytestmark = pytest.mark.asyncio(loop_scope="module")

New = Callable[..., contextlib.AbstractAsyncContextManager[Up]]


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> New:
    """A started gateway with one service called ``it``; put down, and proven to be down, at the end."""

    @contextlib.asynccontextmanager
    async def begin(*options: str, **settings: Any) -> AsyncIterator[Up]:
        folder: Path = tmp_path_factory.mktemp("kill")
        gateway = Up(folder, {"it": service(folder, "it", *options, **settings)})
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


async def two_hundred_held_requests_outlive_the_control_plane(new: New) -> None:
    async with new("--startup", "4", idle_after="30s") as gateway:
        asked = asking(gateway, 200)
        await gateway.until_waiting("it", 200)
        gateway.kill9()
        await gateway.start()
        await asked
        assert gateway.starts("it") == 1
        seen = [line.partition("/")[2] for line in gateway.requests("it") if "/ready" not in line]
        assert sorted(map(int, seen)) == list(range(200)), "each reached the service exactly once"


async def held_requests_outlive_an_outage_in_which_the_service_gets_ready(new: New) -> None:
    async with new("--startup", "1", idle_after="30s") as gateway:
        asked = asking(gateway, 20)
        await gateway.until_waiting("it", 20)
        gateway.kill9()
        late = asking(gateway, 20)
        port = _port(gateway)
        await until(lambda: _listens(port), "the service listens while there is no control plane")
        await gateway.start()
        await asyncio.gather(asked, late)
        assert gateway.starts("it") == 1


async def while_awake_nobody_notices_that_the_control_plane_is_dead(new: New) -> None:
    async with new(idle_after="2s") as gateway:
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
        adopted = gateway.events("", "gateway")[-1]
        assert adopted["reason"] == "envoy adopted"
        await gateway.until_phase("it", "asleep")
        assert gateway.children() == []
        await ask(client, 1)
        assert gateway.starts("it") == 2


async def sigterm_leaves_everything_to_the_next_one(new: New) -> None:
    async with new("--startup", "2.5", idle_after="30s") as gateway:
        asked = asking(gateway, 50)
        await gateway.until_waiting("it", 50)
        envoy = gateway.envoy_pid()
        assert await gateway.terminate() == 0
        await gateway.start()
        await asked
        assert gateway.envoy_pid() == envoy
        assert gateway.starts("it") == 1


async def killed_when_the_start_was_just_decided(new: New) -> None:
    async with new("--startup", "0.5") as gateway:
        asked = asking(gateway, 4)
        await until(lambda: gateway.events("it", "start"), "the start is written down", every=0.001)
        await _killed_then_answers_then_sleeps(gateway, asked, starts=1)


async def killed_when_the_child_was_just_born(new: New) -> None:
    async with new("--startup", "0.5") as gateway:
        asked = asking(gateway, 4)
        await until(lambda: gateway.seen("it"), "the child runs", every=0.001)
        await _killed_then_answers_then_sleeps(gateway, asked, starts=1)


async def killed_when_it_was_just_ready(new: New) -> None:
    async with new() as gateway:
        asked = asking(gateway, 4)
        await until(lambda: "GET /ready" in gateway.seen("it"), "it was asked", every=0.001)
        await _killed_then_answers_then_sleeps(gateway, asked, starts=1)


async def killed_while_draining(new: New) -> None:
    async with new(drain="20s", traffic={"busy": ["/long"]}) as gateway:
        long = asyncio.create_task(gateway.client().get("/?seconds=4", headers=host("it")))
        await gateway.until_phase("it", "draining")
        await _killed_then_answers_then_sleeps(gateway, asking(gateway, 4), starts=1)
        assert (await long).status_code == 200


async def killed_while_stopping(new: New) -> None:
    async with new("--linger", "1.5") as gateway:
        await asking(gateway, 1)
        await gateway.until_phase("it", "stopping")
        await _killed_then_answers_then_sleeps(gateway, asking(gateway, 4), starts=2)


async def killed_while_stopping_and_nobody_asks(new: New) -> None:
    async with new("--linger", "1.5") as gateway:
        await asking(gateway, 1)
        await gateway.until_phase("it", "stopping")
        gateway.kill9()
        await gateway.start()
        await gateway.until_phase("it", "asleep")
        assert gateway.starts("it") == 1
        assert gateway.children() == []


async def killed_again_and_again(new: New) -> None:
    """At moments spread over a whole wake, with somebody asking all the time."""
    async with new("--startup", "0.3") as gateway:
        client, done = gateway.client(), False

        async def insist() -> int:
            number = 0
            while not done:
                await ask(client, number)
                number += 1
                await asyncio.sleep(0.05)
            return number

        insisting = asyncio.create_task(insist())
        for after in (0.0, 0.1, 0.25, 0.45, 0.8):
            await asyncio.sleep(after)  # not to wait for something, but to hit another moment
            gateway.kill9()
            await gateway.start()
        done = True
        assert await insisting > 5
        assert gateway.starts("it") == 1
        await gateway.until_phase("it", "asleep")
        assert gateway.children() == []


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


async def the_child_dies_while_there_is_no_control_plane(new: New) -> None:
    async with new(idle_after="30s") as gateway:
        client = gateway.client()
        child = (await client.get("/", headers=host("it"))).json()["pid"]
        await gateway.until_phase("it", "awake")
        gateway.kill9()
        psutil.Process(child).kill()
        await gateway.start()
        answer = await client.post("/", headers=host("it"), content=b"x")
        assert answer.status_code == 200
        assert answer.json()["pid"] != child
        [crash] = gateway.events("it", "crashed")
        assert "killed by signal 9" in crash["reason"]


async def killed_while_it_starts_envoy(new: New) -> None:
    """Whatever was written down of the new Envoy: the next start serves, with one Envoy."""
    async with new() as gateway:
        for attempt in range(4):
            await gateway.interrupt()
            assert gateway.left() == []
            gateway.process = gateway.spawn()
            await until(gateway.envoys, "envoy was started", every=0.001)
            await asyncio.sleep(attempt * 0.01)  # not to wait for something, but to hit another moment
            gateway.kill9()
            await gateway.start()
            assert len(gateway.envoys()) == 1
            await asking(gateway, 2)


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
        gateway.process = process = gateway.spawn()
        before = gateway.log.stat().st_size
        await until(lambda: b"adopted" in gateway.log.read_bytes()[before:], "it takes over", every=0.001)
        process.send_signal(signal.SIGINT)
        await until(lambda: process.poll() is not None, "it is down")
        gateway.process = None
        assert process.returncode == 0
        assert gateway.left() == []


async def _killed_then_answers_then_sleeps(
    gateway: Up, asked: asyncio.Future[list[None]], starts: int
) -> None:
    gateway.kill9()
    await gateway.start()
    await asked
    assert gateway.starts("it") == starts
    await gateway.until_phase("it", "asleep")
    assert gateway.starts("it") == starts
    assert gateway.children() == []
    assert gateway.events("it", "stopped")


def _port(gateway: Up) -> int:
    port: int = gateway.events("it", "start")[-1]["detail"]["prepared"]["port"]
    return port


def _listens(port: int) -> bool:
    return any(one.laddr.port == port for one in psutil.net_connections("tcp") if one.status == "LISTEN")


BEFORE: list[Story] = [
    two_hundred_held_requests_outlive_the_control_plane,
    held_requests_outlive_an_outage_in_which_the_service_gets_ready,
    while_awake_nobody_notices_that_the_control_plane_is_dead,
    sigterm_leaves_everything_to_the_next_one,
]
AT_A_MOMENT: list[Story] = [
    killed_when_the_start_was_just_decided,
    killed_when_the_child_was_just_born,
    killed_when_it_was_just_ready,
    killed_while_draining,
    killed_while_stopping,
    killed_while_stopping_and_nobody_asks,
    killed_again_and_again,
    the_control_plane_and_envoy_die_together,
    the_child_dies_while_there_is_no_control_plane,
    killed_while_it_starts_envoy,
    an_envoy_that_was_never_written_down_is_taken_over,
    a_person_who_said_sleep_is_obeyed_after_a_restart,
    interrupted_while_it_comes_back_it_puts_everything_to_sleep,
]
STORIES = BEFORE + AT_A_MOMENT


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stories(request: pytest.FixtureRequest, new: New) -> AsyncIterator[Told]:
    few = asyncio.Semaphore(4)  # each has a program of its own

    def one_of_few(story: Story) -> Story:
        async def tell(new: New) -> None:
            async with few:
                await story(new)

        tell.__name__ = story.__name__
        return tell

    async for tasks in told([one_of_few(story) for story in chosen(request)], new):
        yield tasks


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, stories: Told) -> None:
    await stories[story.__name__]
