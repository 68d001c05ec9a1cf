"""The whole chain: a cloud's API, SSH, a container, the answer; and all the way back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.rented import Rented
from tests.acceptance.running import Up, host, until

pytestmark = [pytest.mark.slow, pytest.mark.platform("linux")]


@pytest.fixture
async def rented(may_run_engines: None, tmp_path: Path) -> AsyncIterator[Rented]:
    rented = await asyncio.to_thread(Rented, tmp_path)
    try:
        async with rented.cloud:
            yield rented
    finally:
        await asyncio.to_thread(rented.destroy)


async def get(gateway: Up, name: str) -> Any:
    return await gateway.client().get("/", headers=host(name), timeout=90)


def order(gateway: Up, *kinds: str) -> list[str]:
    return [f"{event['service']} {event['kind']}" for event in gateway.events(None, *kinds)]


async def until_off(gateway: Up, rented: Rented) -> None:
    await gateway.until_phase("gpu", "asleep")
    assert rented.machine.state == "off"
    assert not rented.on


async def test_from_the_cloud_to_the_answer_and_back_and_again_elsewhere(rented: Rented, up: Start) -> None:
    gateway = await up(rented.services(), machines=rented.machines())
    answer = await get(gateway, "kb")
    assert (answer.status_code, answer.text) == (200, "hello from busybox\n")
    ready = ["gpu ready", "model ready", "kb ready"]
    await until(lambda: order(gateway, "ready") == ready, "it is written down in this order")
    await until_off(gateway, rented)
    await until(lambda: "gpu stopped" in order(gateway, "stopped"), "all that is written down")
    stopped = order(gateway, "stopped")
    assert stopped.index("kb stopped") < stopped.index("model stopped") < stopped.index("gpu stopped")
    assert (rented.cloud.asked("start"), rented.cloud.asked("stop")) == (1, 1)

    answers = await asyncio.gather(*(get(gateway, name) for name in ("kb", "model", "own")))
    assert [answer.text for answer in answers] == ["hello from busybox\n", "model", "built in"]
    assert len(set(rented.addresses)) == 2, "the address changed"
    await until_off(gateway, rented)
    assert rented.cloud.asked("start") == 2
    assert [process for process in gateway.children() if "ssh" in process.name()] == []
    assert [event for event in gateway.events("kb", "noted") if "somebody else" in event["reason"]] == []


async def test_killed_while_it_boots_with_no_gpu_at_first_and_a_stop_that_is_lost(
    rented: Rented, up: Start
) -> None:
    rented.cloud.weather.no_stock = True
    rented.cloud.weather.start_takes = 2.0
    stingy = {"no_capacity": {"text": ["库存"], "delay": "1s"}}
    gateway = await up(rented.services(), machines=rented.machines(**stingy))
    asking = asyncio.create_task(get(gateway, "kb"))
    await until(lambda: rented.cloud.asked("start") >= 2, "it was asked for again")
    why = await gateway.cli("why", "kb")
    assert "waits for gpu, which is" in why.out
    rented.cloud.mend()
    await until(lambda: rented.machine.starts, "it boots")
    gateway.kill9()
    await gateway.start()
    answer = await asking
    assert (answer.status_code, rented.machine.starts) == (200, 1)

    rented.cloud.weather.ignores_stop = True
    await until(lambda: rented.cloud.asked("stop") >= 2, "the stop was asked for again")
    assert rented.machine.state == "running"
    rented.cloud.mend()
    await until_off(gateway, rented)


async def test_it_vanishes_under_a_service_in_use(rented: Rented, up: Start) -> None:
    services = rented.services()
    services["kb"]["idle_after"] = "30s"
    del services["model"]["run"]["command"]["status"]  # nobody but Poorwill remembers that it was started
    gateway = await up(services, machines=rented.machines())
    assert (await get(gateway, "kb")).status_code == 200
    rented.vanish()
    await until(lambda: rented.machine.state == "off", "it is off")
    await until(lambda: gateway.events("kb", "crashed"), "that is noticed")
    answers = await asyncio.gather(*(get(gateway, name) for name in ("kb", "model")))
    assert [answer.text for answer in answers] == ["hello from busybox\n", "model"]
    assert rented.machine.starts == 2
    assert gateway.events("model", "failed") == [], "it was started anew, at once"
