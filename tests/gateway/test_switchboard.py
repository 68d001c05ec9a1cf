"""Wishes become files, files become what a real Envoy does, and only Envoy's own word counts as done."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.gateway.real_envoy import House, service, until

from poorwill.core.door import GateState
from poorwill.core.target import Target
from poorwill.gateway.clusters import Upstream
from poorwill.gateway.routes import Site

IT = Site("it", hosts=("it.test",))
OTHER = Site("other", hosts=("other.test",))
HOST = {"host": "it.test", "prefer": "wait=0"}


async def status(house: House, host: str = "it.test") -> int:
    async with house.visitor() as client:
        return (await client.post("/", headers={**HOST, "host": host})).status_code


def endpoints(house: House) -> list[object]:
    content = json.loads((house.folder / "envoy" / "eds-it.json").read_text())
    found: list[object] = content["resources"][0]["endpoints"]
    return found


async def test_a_new_service_is_closed_once_envoy_says_so(house: House) -> None:
    house.shape(IT)
    assert house.switchboard.gate("it").state is GateState.MOVING
    assert not house.switchboard.confirmed("it")
    await house.start(IT)
    assert house.switchboard.gate("it").state is GateState.CLOSED
    assert "it" in house.changes
    assert await status(house) == 503
    assert house.doors["it"].checks == 1


async def test_open_goes_past_the_gate_and_close_comes_back(house: House) -> None:
    await house.start(IT, OTHER)
    async with service() as address:
        await house.opened("it", address)
        assert await status(house) == 200
        assert house.doors["it"].checks == 0
        assert await status(house, "other.test") == 503, "the other one is as closed as before"
        before = house.switchboard.gate("it").since
        house.switchboard.close("it")
        assert house.switchboard.gate("it").state is GateState.MOVING
        await house.settled()
        gate = house.switchboard.gate("it")
        assert gate.state is GateState.CLOSED
        assert gate.since > before
        assert await status(house) == 503
        assert house.doors["it"].checks == 1


async def test_endpoints_are_published_while_closed(house: House) -> None:
    await house.start(IT)
    async with service() as address:
        house.routed("it", Target(*address))
        assert not house.switchboard.confirmed("it")
        await house.settled()
        assert house.switchboard.gate("it").state is GateState.CLOSED
        house.doors["it"].let_through(True)
        assert await status(house) == 200, "released by the gate, though it is still asked"
    house.routed("it")
    await house.settled()
    assert await status(house) == 503


async def test_wishes_that_cross_end_in_the_last_one(house: House) -> None:
    await house.start(IT)
    async with service() as address:
        house.routed("it", Target(*address))
        for _ in range(5):
            house.switchboard.open("it")
            await asyncio.sleep(0)
            house.switchboard.close("it")
            await asyncio.sleep(0.001)
        house.switchboard.open("it")
        await until(lambda: house.switchboard.gate("it").state is GateState.OPEN, "it is open")
        assert await status(house) == 200


async def test_what_an_earlier_life_opened_stays_open(house: House) -> None:
    await house.start(IT, OTHER)
    async with service() as address:
        await house.opened("it", address)
        later = House(house.folder, port=house.port)
        later.switchboard.load()
        later.shape(IT, OTHER)
        assert later.switchboard.gate("it").state is GateState.MOVING
        run = asyncio.create_task(later.switchboard.run())
        await until(lambda: later.switchboard.gate("it").state is GateState.OPEN, "open as before")
        await until(lambda: later.switchboard.gate("other").state is GateState.CLOSED, "closed as before")
        assert await status(house) == 200
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        await later.admin.close()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"resources": []}', '{"resources": [{"x": 1}]}'])
async def test_torn_files_of_an_earlier_life_count_as_none(house: House, content: str) -> None:
    for name in ("rds.json", "eds-it.json", "cds.json"):
        (house.folder / "envoy" / name).write_text(content)
    house.switchboard.load()
    await house.start(IT)
    assert house.switchboard.gate("it").state is GateState.CLOSED
    assert endpoints(house) == []


async def test_services_come_go_and_come_again(house: House) -> None:
    await house.start(IT, OTHER)
    async with service() as address:
        await house.opened("it", address)
        house.doors.pop("other")
        house.shape(IT)
        await house.settled()
        assert await status(house, "other.test") == 404
        assert not (house.folder / "envoy" / "eds-other.json").exists()
        assert await status(house) == 200, "the one that stays is not touched"
        house.shape(IT, OTHER)
        await house.settled()
        assert house.switchboard.gate("other").state is GateState.CLOSED
        await house.opened("other", address)
        assert await status(house, "other.test") == 200


async def test_a_leaving_service_has_no_route_but_ends_what_is_open(house: House) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def slow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await release.wait()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")

    await house.start(IT, OTHER)
    async with service(slow) as address:
        await house.opened("other", address)
        open_request = asyncio.create_task(status(house, "other.test"))
        await begun.wait()
        house.switchboard.reshape({"it": IT}, {"it": Upstream()}, leaving={"other"})
        await house.settled()
        assert await status(house, "other.test") == 404
        assert house.switchboard.gate("other").state is GateState.OPEN, "nobody closed it"
        release.set()
        assert await open_request == 200


async def test_wishes_outlive_an_envoy(house: House) -> None:
    await house.start(IT)
    await house.envoy.stop()
    async with service() as address:
        house.routed("it", Target(*address))
        house.switchboard.open("it")
        await asyncio.sleep(0.1)  # long enough to be confirmed, were there an Envoy
        assert house.switchboard.gate("it").state is GateState.MOVING
        await house.envoy.start()
        house.switchboard.again()
        await until(lambda: house.switchboard.gate("it").state is GateState.OPEN, "the new one confirms")
        assert await status(house) == 200


async def test_files_that_cannot_be_written_are_tried_again(house: House) -> None:
    await house.start(IT)
    blocked: Path = house.folder / "envoy" / "eds-it.json.new"
    blocked.mkdir()
    async with service() as address:
        house.routed("it", Target(*address))
        house.switchboard.open("it")
        await asyncio.sleep(0.1)  # long enough to fail
        assert house.switchboard.gate("it").state is GateState.MOVING
        blocked.rmdir()
        await until(lambda: house.switchboard.gate("it").state is GateState.OPEN, "written after all")
        assert await status(house) == 200


async def test_a_file_is_whole_at_every_moment(house: House) -> None:
    await house.start(IT)
    rds = house.folder / "envoy" / "rds.json"
    async with service() as address:
        house.routed("it", Target(*address))
        for number in range(20):
            (house.switchboard.open if number % 2 else house.switchboard.close)("it")
            await asyncio.sleep(0)
            assert json.loads(rds.read_text())["version_info"]
        await house.settled()
    assert list((house.folder / "envoy").glob("*.new")) == []
