"""A rented instance, from the visitor's request to the bill that ends: real program, unkind cloud."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.conftest import Start, starting
from tests.acceptance.running import Json, Up, host, service, until
from tests.acceptance.stories import Story, Told, name_of
from tests.ports import free_port
from tests.providers.http.cloud import TOKEN, FakeCloud, Machine
from tests.providers.http.wire import Asked, Reply, Server

from poorwill.providers.http.library import cloud

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


class Rental:
    """A fake cloud whose machine is a web server on ``port`` while it is on."""

    def __init__(self) -> None:
        self.cloud = FakeCloud(machines=("pro-1",))
        self.port = free_port()
        self.served = 0
        self._server: Server | None = None
        self.cloud.on_power_on = self._on
        self.cloud.on_power_off = self._off

    @property
    def machine(self) -> Machine:
        return self.cloud.machines["pro-1"]

    async def _on(self, _machine: Machine) -> Mapping[str, str]:
        self._server = Server(self._answer)
        await self._server.open(self.port)
        return {}

    async def _off(self, _machine: Machine) -> None:
        if self._server is not None:
            await self._server.close()
        self._server = None

    async def _answer(self, asked: Asked) -> Reply:
        self.served += asked.path != "/ready"
        return Reply(200, {"from": "the machine"})

    def service(self, **about: Any) -> dict[str, Json]:
        described = cloud("autodl").model_dump(mode="json", by_alias=True, exclude_unset=True)
        described |= {"settle": "1s", **about}
        http = {"description": described, "instance": "pro-1", "token": TOKEN, "url": self.cloud.url}
        return {
            "kb": {
                "hosts": ["kb.test"],
                "run": {"http": http},
                "address": f"127.0.0.1:{self.port}",
                "ready": {"path": "/ready", "timeout": "20s"},
                "idle_after": "1s",
                "drain": "1s",
                "hold": "40s",
            }
        }


Rent = Callable[[Rental, Start], Awaitable[None]]


def rented(story: Rent) -> Story:
    """A story with a rental of its own, which is there until the gateway is down."""

    @functools.wraps(story)
    async def tell(tmp_path: Path) -> None:
        rental = Rental()
        async with rental.cloud, starting(tmp_path) as up:
            await story(rental, up)

    del tell.__wrapped__  # its arguments are not the story's
    return tell


async def _asks(gateway: Up) -> asyncio.Task[Any]:
    asking = asyncio.create_task(gateway.client().get("/page", headers=host("kb")))
    await gateway.until_waiting("kb", 1)
    return asking


@rented
async def it_is_rented_while_it_is_needed(rental: Rental, up: Start) -> None:
    rental.cloud.weather.start_takes = 1.0
    gateway = await up(rental.service())
    begun = time.monotonic()
    answer = await gateway.client().get("/page", headers=host("kb"))
    took = time.monotonic() - begun
    assert (answer.status_code, answer.json()) == (200, {"from": "the machine"})
    assert 1.0 <= took < 30
    await gateway.until_phase("kb", "asleep")
    assert rental.machine.state == "off"
    assert (rental.machine.starts, rental.served) == (1, 1)


@rented
async def killed_in_the_middle_of_a_start_it_rents_nothing_twice(rental: Rental, up: Start) -> None:
    rental.cloud.weather.start_takes = 2.0
    gateway = await up(rental.service())
    asking = await _asks(gateway)
    await until(lambda: rental.machine.starts, "the cloud was asked to start it")
    gateway.kill9()
    await gateway.start()
    assert (await asking).status_code == 200
    assert rental.machine.starts == rental.cloud.asked("start") == 1


@rented
async def no_gpu_at_first_and_a_stop_that_is_lost(rental: Rental, up: Start) -> None:
    rental.cloud.weather.no_stock = True
    gateway = await up(rental.service(no_capacity={"text": ["库存"], "delay": "1s"}))
    asking = await _asks(gateway)
    await until(lambda: rental.cloud.asked("start") >= 2, "it was asked for again")
    rental.cloud.mend()
    assert (await asking).status_code == 200
    rental.cloud.weather.ignores_stop = True
    await until(lambda: rental.cloud.asked("stop") >= 2, "the stop was asked for again")
    assert rental.machine.state == "running"
    rental.cloud.mend()
    await gateway.until_phase("kb", "asleep")
    assert (rental.machine.state, rental.machine.starts) == ("off", 1)


@rented
async def it_is_stopped_even_after_it_left_the_configuration(rental: Rental, up: Start) -> None:
    gateway = await up(lambda folder: {**rental.service(), "other": service(folder, "other")})
    answer = await gateway.client().get("/page", headers=host("kb"))
    assert answer.status_code == 200
    del gateway.services["kb"]
    gateway.kill9()
    await gateway.start()
    await until(lambda: rental.machine.state == "off", "the instance is off")


@rented
async def what_somebody_switched_on_is_served_and_let_alone_until_it_is_adopted(
    rental: Rental, up: Start
) -> None:
    """A cloud that shows what happens late, and refuses a call now and then."""
    rental.cloud.weather.start_takes, rental.cloud.weather.lag = 0.2, 0.5
    rental.cloud.power_on(rental.machine)
    gateway = await up(rental.service(poll="500ms"))
    await gateway.until_phase("kb", "awake")
    answer = await gateway.client().get("/page", headers=host("kb"))
    assert answer.json() == {"from": "the machine"}

    async def owed() -> Json | None:
        row: Json = await gateway.status("kb")
        return row if row["rule"] == "foreign" and row["debt"] else None

    row = await until(owed, "nobody needs it any more")
    assert row["foreign"]
    assert row["debt"]["cause"] == "foreign"
    said = await gateway.cli("status")
    assert "kb" in said.out
    assert "awake!" in said.out
    assert "poorwill adopt kb" in (await gateway.cli("why", "kb")).out
    gateway.kill9()
    await gateway.start()
    await until(owed, "still not ours after a restart")
    assert rental.cloud.asked("stop") == 0
    rental.cloud.weather.throttled = 2
    said = await gateway.cli("adopt", "kb")
    assert "kb is Poorwill's now" in said.out
    await gateway.until_phase("kb", "asleep")
    assert rental.machine.state == "off"
    await until(lambda: gateway.events("kb", "stopped"), "the stop is written down")
    assert [event["kind"] for event in gateway.events("kb", "adopt", "stopped")] == ["adopt", "stopped"]
    rental.cloud.power_on(rental.machine)
    await gateway.until_phase("kb", "awake")
    said = await gateway.cli("down")
    assert "Still running, since Poorwill did not start it: kb." in said.out
    assert rental.machine.state == "running"


STORIES: list[Story] = [
    it_is_rented_while_it_is_needed,
    killed_in_the_middle_of_a_start_it_rents_nothing_twice,
    no_gpu_at_first_and_a_stop_that_is_lost,
    it_is_stopped_even_after_it_left_the_configuration,
    what_somebody_switched_on_is_served_and_let_alone_until_it_is_adopted,
]


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, apart: Told) -> None:
    await apart[story.__name__]
