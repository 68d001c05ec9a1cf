"""Hours, jobs, needs and machines in the real program."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from tests.acceptance.chaos.clock import Clock, can_be_set
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until
from tests.acceptance.stories import Story, Told, name_of
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALWAYS = "daily 00:00-24:00"


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def not_at_midnight() -> None:
    """The windows of a whole day end there."""
    await until(lambda: time.time() % 86400 < 86400 - 120, "midnight is over", seconds=200, every=1)


@asynccontextmanager
async def saying_hello() -> AsyncIterator[int]:
    """The port of what a machine starts by itself."""
    port = free_port()
    async with await asyncio.start_server(_hello, "127.0.0.1", port):
        yield port


def tomorrow() -> Json:
    """A window that opens in a day: now it is closed."""
    return {"date": (datetime.now(UTC) + timedelta(days=1)).date().isoformat(), "hours": "10:00-14:00"}


def job(folder: Path, name: str, script: str, **settings: Json) -> Json:
    words = ["sh", "-c", f"echo begin >> {folder}/{name}.runs; {script}"]
    return {
        "run": {"process": {"command": words, "stop_timeout": "3s"}},
        "schedule": {"start": "0 3 * * *", "until": "done"},
        **settings,
    }


def runs(gateway: Up, name: str) -> int:
    file = gateway.folder / f"{name}.runs"
    return len(file.read_text().splitlines()) if file.exists() else 0


async def until_gate(gateway: Up, state: str) -> None:
    async def there() -> bool:
        return bool((await gateway.status("it"))["gate"] == state)

    await until(there, f"the gate is {state}")


async def reload(gateway: Up, **changes: Json) -> None:
    gateway.services["it"] |= changes
    gateway.write()
    await gateway.post("/api/v1/reload")


async def a_window_opens_and_closes_and_work_in_flight_ends_first(up: Start, tmp_path: Path) -> None:
    gateway = await up(
        {"it": service(tmp_path, "it", schedule=tomorrow(), on_request="closed", drain="20s")}, timezone="UTC"
    )
    client = gateway.client()
    answer = await client.get("/", headers=host("it"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "service_closed")
    assert int(answer.headers["retry-after"]) > 3600
    assert gateway.starts("it") == 0

    await reload(gateway, schedule=ALWAYS)  # it opens
    row = await gateway.until_phase("it", "awake")
    assert "daily 00:00-24:00" in row["reason"]
    assert gateway.requests("it") == ["GET /ready"], "nobody had to ask"
    await asyncio.sleep(2.5)  # idle_after is a second: the window keeps it awake all the same
    assert (await gateway.status("it"))["phase"] == "awake"

    working = asyncio.create_task(client.get("/?seconds=3", headers=host("it")))
    await until(lambda: "GET /?seconds=3" in gateway.requests("it"), "the work has begun")
    await reload(gateway, schedule=tomorrow())  # it closes
    await until_gate(gateway, "closed")
    refused = await client.get("/", headers=host("it"))
    assert refused.json()["error"]["code"] == "service_closed"
    assert (await working).status_code == 200
    await gateway.until_phase("it", "asleep")


async def put_to_sleep_by_hand_until_the_next_window(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it", schedule=[ALWAYS])}, timezone="UTC")
    await gateway.until_phase("it", "awake")
    said = await gateway.cli("sleep", "it")
    assert said.code == 0
    assert "until you say `poorwill auto it`" in said.out, "a window that never closes has no next one"
    await gateway.until_phase("it", "asleep")
    await reload(gateway, schedule=tomorrow())
    said = await gateway.cli("sleep", "it")
    assert "10:00, or you say `poorwill auto it`" in said.out
    await gateway.terminate()
    await gateway.start()  # what a person said holds over a restart
    assert (await gateway.status("it"))["hand"]["until"]
    said = await gateway.cli("wake", "it", "--during", "00:00-24:00")
    assert "will be awake" in said.out
    await gateway.cli("auto", "it")
    assert (await gateway.status("it"))["plans"] == []
    said = await gateway.cli("wake", "it", "--during", "00:00-24:00")
    await gateway.until_phase("it", "awake")
    said = await gateway.cli("wake", "it", "--during", "Blursday 9-12")
    assert (said.code, "Blursday" in said.err) == (2, True)


def shortly_before_a_minute(folder: Path) -> dict[str, str]:
    """The variables of a clock on which it is that soon, where there can be one."""
    if not can_be_set():
        return {}
    clock = Clock(folder)
    clock.set(50 - int(time.time()) % 60)
    return clock.variables


async def a_job_runs_at_its_hour_and_on_demand_and_tells_how_it_ended(up: Start, tmp_path: Path) -> None:
    each_minute = {"start": "* * * * *", "until": "done"}
    gateway = await up(
        {
            "minutely": job(tmp_path, "minutely", "exit 3", schedule=each_minute),
            "nightly": job(tmp_path, "nightly", "sleep 1"),
        },
        variables=shortly_before_a_minute(tmp_path),
    )
    assert runs(gateway, "nightly") == 0, "its hour before it was known is not made up for"
    await gateway.cli("wake", "nightly")
    (done,) = await until(lambda: gateway.events("nightly", "done"), "the run is over")
    assert done["detail"]["exit_code"] == 0
    await gateway.until_phase("nightly", "asleep")
    assert runs(gateway, "nightly") == 1

    (done, *_) = await until(lambda: gateway.events("minutely", "done"), "its minute came", 120)
    (start, *_) = gateway.events("minutely", "start")
    assert done["detail"]["exit_code"] == 3
    assert start["at"] % 60 < 20, "at its minute"
    assert done["detail"]["last_run"] == start["at"] - start["at"] % 60
    assert "exit code 3" in (await gateway.status("minutely"))["reason"]
    assert runs(gateway, "minutely") == 1


async def a_running_job_is_waited_for_and_found_again_after_a_crash(up: Start, tmp_path: Path) -> None:
    gateway = await up(
        {"nightly": job(tmp_path, "nightly", f"until [ -e {tmp_path}/go ]; do sleep 0.1; done")}
    )
    await gateway.cli("wake", "nightly")
    await gateway.until_phase("nightly", "awake")
    gateway.kill9()
    await gateway.start()
    await gateway.until_phase("nightly", "awake")
    await gateway.cli("sleep", "nightly")
    row = await gateway.until_phase("nightly", "draining")
    assert row["traffic"]["busy"] == 1
    (tmp_path / "go").touch()
    await gateway.until_phase("nightly", "asleep")
    await until(lambda: gateway.events("nightly", "done"), "that it is done is written down")
    assert [event["detail"]["exit_code"] for event in gateway.events("nightly", "done")] == [0]
    assert runs(gateway, "nightly") == 1


def machine(folder: Path, boots: float = 0.5) -> Json:
    """A machine of three scripts: it is on when its file is there."""
    return {
        "command": {
            "start": f"echo on >> {folder}/calls; (sleep {boots}; touch {folder}/is-on) >/dev/null 2>&1 &",
            "stop": f"echo off >> {folder}/calls; rm -f {folder}/is-on",
            "status": f"test -e {folder}/is-on || exit 3",
        },
        "idle_after": "1s",
    }


async def a_machine_and_what_is_needed_wake_first_and_sleep_last(up: Start, tmp_path: Path) -> None:
    async with saying_hello() as port:
        await wake_first_and_sleep_last(up, tmp_path, port, killed=False)


async def so_they_do_when_killed_meanwhile(up: Start, tmp_path: Path) -> None:
    async with saying_hello() as port:
        await wake_first_and_sleep_last(up, tmp_path, port, killed=True)


async def wake_first_and_sleep_last(up: Start, tmp_path: Path, port: int, *, killed: bool) -> None:
    app = {"hosts": ["app.test"], "on": "gpu", "address": f"127.0.0.1:{port}", "needs": ["model"]}
    gateway = await up(
        {"app": {**app, "idle_after": "1s", "hold": "30s"}, "model": service(tmp_path, "model")},
        machines={"gpu": machine(tmp_path)},
    )
    asked = asyncio.create_task(gateway.client().get("/", headers=host("app")))
    if killed:
        await until(lambda: (tmp_path / "calls").exists(), "the machine is being started", every=0.002)
        gateway.kill9()
        await gateway.start()
    assert (await asked).status_code == 200
    assert gateway.starts("model") == 1
    await until(lambda: gateway.events("app", "ready"), "all that is written down")
    order = [(event["service"], event["kind"]) for event in gateway.events(None, "ready", "start")]
    ready = [order.index((name, "ready")) for name in ("gpu", "model")]
    assert max(ready) < order.index(("app", "start")), order
    await gateway.until_phase("gpu", "asleep")
    await gateway.until_phase("model", "asleep")
    await until(lambda: len(gateway.events(None, "stopped")) == 3, "all that is written down")
    stopped = [event["service"] for event in gateway.events(None, "stopped")]
    assert stopped[0] == "app"
    calls = (tmp_path / "calls").read_text().split()
    assert calls in (["on", "off"], ["on", "on", "off"] if killed else ["on", "off"])
    assert not (tmp_path / "is-on").exists()


async def a_machine_put_to_sleep_by_hand_takes_along_what_is_on_it(up: Start, tmp_path: Path) -> None:
    async with saying_hello() as port:
        await takes_along_what_is_on_it(up, tmp_path, port)


async def takes_along_what_is_on_it(up: Start, tmp_path: Path, port: int) -> None:
    gateway = await up(
        {"app": {"hosts": ["app.test"], "on": "gpu", "address": f"127.0.0.1:{port}", "schedule": ALWAYS}},
        machines={"gpu": machine(tmp_path)},
    )
    await gateway.until_phase("app", "awake")
    await gateway.cli("sleep", "gpu")
    await gateway.until_phase("gpu", "asleep")
    row = await gateway.status("app")
    assert (row["phase"], row["rule"]) == ("asleep", "sleep")
    assert (await gateway.client().get("/", headers=host("app"))).json()["error"][
        "code"
    ] == "service_put_to_sleep"
    await gateway.cli("auto", "gpu")
    await gateway.until_phase("app", "awake")


async def _hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")
    await writer.drain()
    writer.close()


STORIES: list[Story] = [
    a_window_opens_and_closes_and_work_in_flight_ends_first,
    put_to_sleep_by_hand_until_the_next_window,
    a_job_runs_at_its_hour_and_on_demand_and_tells_how_it_ended,
    a_running_job_is_waited_for_and_found_again_after_a_crash,
    a_machine_and_what_is_needed_wake_first_and_sleep_last,
    so_they_do_when_killed_meanwhile,
    a_machine_put_to_sleep_by_hand_takes_along_what_is_on_it,
]


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, apart: Told) -> None:
    await apart[story.__name__]
