"""One Envoy, recognised and adopted when it is ours, replaced when it is not what it should be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from pathlib import Path

import psutil
import pytest
from tests.gateway.real_envoy import House, service, until
from tests.ports import free_port

from poorwill.errors import GatewayError
from poorwill.gateway.routes import Site
from poorwill.gateway.supervisor import Found, Supervisor

IT = Site("it")


def running(folder: Path) -> list[int]:
    bootstrap = str(folder / "envoy" / "bootstrap.json")
    everybody = psutil.process_iter(["cmdline"])
    return [process.pid for process in everybody if bootstrap in (process.info["cmdline"] or [])]


async def test_it_starts_and_ends(house: House) -> None:
    house.shape(IT)
    arrival = await house.envoy.arrive()
    assert arrival.how == "started"
    assert running(house.folder) == [arrival.pid]
    assert await house.admin.node_id() == house.node
    assert os.getsid(arrival.pid) != os.getsid(0), "a signal to us does not reach it"
    await house.envoy.stop()
    assert running(house.folder) == []
    assert not (house.folder / "envoy" / "envoy.json").exists()
    await house.envoy.stop()


async def test_its_sockets_are_private(house: House) -> None:
    house.shape(IT)
    await house.envoy.arrive()
    for one in (house.sockets.admin, house.sockets.hop):
        assert one.stat().st_mode & 0o777 == 0o600


async def test_the_next_life_adopts_it(house: House) -> None:
    house.shape(IT)
    pid = (await house.envoy.arrive()).pid
    house.envoy.forget()
    house.envoy = house.another_envoy()
    assert await house.envoy.arrive() == ("adopted", pid)
    house.keep()
    os.kill(pid, signal.SIGKILL)
    await until(lambda: house.restarts, "the adopted one is watched")
    assert running(house.folder) == house.restarts


async def test_one_that_was_never_written_down_is_adopted_by_its_mark(house: House) -> None:
    house.shape(IT)
    pid = (await house.envoy.arrive()).pid
    house.envoy.forget()
    (house.folder / "envoy" / "envoy.json").unlink()
    house.envoy = house.another_envoy()
    assert await house.envoy.arrive() == ("adopted", pid)
    assert json.loads((house.folder / "envoy" / "envoy.json").read_text())["envoy"][1] == pid


@pytest.mark.parametrize("record", ["", "{", '{"pid": 1}', "null", '{"envoy": ["x", 1, 1]}'])
async def test_a_record_that_cannot_be_read_is_none(house: House, record: str) -> None:
    house.shape(IT)
    (house.folder / "envoy" / "envoy.json").write_text(record)
    assert (await house.envoy.arrive()).how == "started"


async def test_somebody_elses_process_is_left_alone(house: House) -> None:
    house.shape(IT)
    me = psutil.Process()
    record = {"envoy": ["another boot", me.pid, 1], "supervisor": None, "fingerprint": "x"}
    (house.folder / "envoy" / "envoy.json").write_text(json.dumps(record))
    assert (await house.envoy.arrive()).how == "started"
    assert me.is_running()


async def test_other_settings_replace_it_after_open_requests_have_ended(house: House) -> None:
    reached, release = asyncio.Event(), asyncio.Event()

    async def slow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await release.wait()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")

    await house.start(IT)
    old = running(house.folder)
    async with service(slow) as address, house.visitor() as client:
        await house.opened("it", address)
        open_request = asyncio.create_task(client.get("/"))
        await reached.wait()
        house.envoy.forget()
        house.port = free_port()
        house.envoy = house.another_envoy()
        arriving = asyncio.create_task(house.envoy.arrive())
        await asyncio.sleep(0.3)  # to see that it waits
        assert not arriving.done()
        release.set()
        assert (await open_request).status_code == 200
        arrival = await arriving
    assert arrival.how == "replaced"
    assert running(house.folder) == [arrival.pid]
    assert [arrival.pid] != old


async def test_an_end_is_noticed_and_the_next_one_serves(house: House) -> None:
    await house.start(IT)
    house.keep()
    [pid] = running(house.folder)
    os.kill(pid, signal.SIGKILL)
    await until(lambda: house.restarts, "it is noticed")
    assert running(house.folder) == house.restarts != [pid]
    async with house.visitor() as client:
        answer = await client.post("/", headers={"prefer": "wait=0"})
    assert answer.status_code == 503


async def test_an_end_that_was_asked_for_is_no_reason_to_start_another(house: House) -> None:
    await house.start(IT)
    house.keep()
    await house.envoy.stop()
    await asyncio.sleep(0.2)  # long enough for another one to come
    assert (running(house.folder), house.restarts) == ([], [])


async def test_one_that_cannot_be_started_again_is_tried_until_it_can(house: House) -> None:
    await house.start(IT)
    house.keep()
    [pid] = running(house.folder)
    bootstrap = house.folder / "envoy" / "bootstrap.json"
    good = bootstrap.read_text()
    bootstrap.write_text("{")
    os.kill(pid, signal.SIGKILL)
    await until(lambda: house.envoy.log_file.read_text().count("starting it again") >= 2, "it is tried again")
    assert house.restarts == []
    bootstrap.write_text(good)
    await until(lambda: house.restarts, "it could be started after all")
    assert running(house.folder) == house.restarts


async def test_without_a_control_plane_it_comes_back_all_the_same(house: House) -> None:
    await house.start(IT)
    house.envoy.forget()
    [pid] = running(house.folder)
    os.kill(pid, signal.SIGKILL)
    await until(lambda: pid not in running(house.folder) and running(house.folder), "there is another")
    [other] = running(house.folder)
    house.envoy = house.another_envoy()
    assert await house.envoy.arrive() == ("adopted", other)
    async with house.visitor() as client:
        assert (await client.post("/", headers={"prefer": "wait=0"})).status_code == 503
    await house.envoy.stop()
    assert running(house.folder) == []


async def test_one_that_dies_as_the_next_life_begins_is_waited_for(house: House) -> None:
    await house.start(IT)
    house.envoy.forget()
    [pid] = running(house.folder)
    house.envoy = house.another_envoy()
    os.kill(pid, signal.SIGKILL)
    arrival = await house.envoy.arrive()
    assert running(house.folder) == [arrival.pid] != [pid]


async def test_without_its_supervisor_it_goes_on_and_the_next_one_has_one_again(house: House) -> None:
    await house.start(IT)
    house.keep()
    [pid] = running(house.folder)
    psutil.Process(pid).parent().kill()
    await until(lambda: house.envoy.supervised is False, "it is noticed")
    async with house.visitor() as client:
        assert (await client.post("/", headers={"prefer": "wait=0"})).status_code == 503
    os.kill(pid, signal.SIGKILL)
    await until(lambda: house.restarts, "another one is started")
    assert house.envoy.supervised


async def test_the_end_leaves_no_supervisor(house: House) -> None:
    await house.start(IT)
    [pid] = running(house.folder)
    parent = psutil.Process(pid).parent()
    assert parent is not None
    assert "poorwill-supervisor" in parent.cmdline()
    os.kill(pid, signal.SIGKILL)  # the worst moment: it is about to start another
    await house.envoy.stop()
    await asyncio.sleep(0.3)  # long enough for another one to come
    assert running(house.folder) == []
    assert not parent.is_running()


async def test_one_that_ends_as_soon_as_it_is_ready_leaves_nothing_behind(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its supervisor starts one that has the port, and whatever is started later finds it taken."""
    house.shape(IT)
    found = Supervisor.found
    seen: list[Found] = []

    def as_if_it_had_ended(supervisor: Supervisor) -> Found:
        seen.append(found(supervisor))
        return seen[-1]._replace(envoys=[]) if len(seen) == 2 else seen[-1]

    monkeypatch.setattr(Supervisor, "found", as_if_it_had_ended)
    with pytest.raises(GatewayError, match="ended as soon as it was ready"):
        await house.envoy.arrive()
    assert running(house.folder) == []
    assert (await house.envoy.arrive()).how == "started"


async def test_a_process_that_ends_before_the_signal_is_one_less_to_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.start(IT)

    def too_late(number: int, _signal: int) -> None:
        monkeypatch.undo()
        os.kill(number, signal.SIGKILL)
        raise ProcessLookupError

    monkeypatch.setattr("poorwill.gateway.envoy.os.kill", too_late)
    await house.envoy.stop()
    assert running(house.folder) == []


async def test_a_taken_port_is_said_in_our_words(house: House) -> None:
    house.shape(IT)
    with socket.create_server(("127.0.0.1", house.port)), pytest.raises(GatewayError) as raised:
        await house.envoy.arrive()
    assert str(raised.value).startswith(f"cannot listen on 127.0.0.1:{house.port}")
    assert "listen:" in raised.value.hint
    assert running(house.folder) == []


async def test_what_envoy_says_at_a_bad_start_is_passed_on(house: House) -> None:
    house.shape(IT)
    house.envoy = house.another_envoy(folder=house.folder / "nowhere")
    with pytest.raises(GatewayError) as raised:
        await house.envoy.arrive()
    assert "Envoy ended at its start" in str(raised.value)
    assert str(house.envoy.log_file) in raised.value.hint
    assert running(house.folder) == []


async def test_as_many_visitors_as_there_may_be_do_not_shut_out_the_gate(house: House) -> None:
    house.envoy = house.another_envoy(http_connections=3)
    house.shape(IT)
    await house.gate.serve(house.sockets.gate)
    await house.envoy.arrive()
    visitors = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(5)]
    answers = []
    for reader, writer in visitors:
        writer.write(b"POST / HTTP/1.1\r\nhost: it\r\nprefer: wait=0\r\ncontent-length: 0\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            answers.append(await reader.read(4096))
    assert sum(b"retry-after" in answer for answer in answers) == 3, "the gate's own word"
    for _, writer in visitors:
        writer.close()
