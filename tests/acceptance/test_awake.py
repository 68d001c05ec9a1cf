"""While a service is awake Poorwill is not in the way; and what happens when something dies meanwhile."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import pytest_asyncio
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def services(folder: Path) -> dict[str, Json]:
    return {
        "busy-one": service(folder, "busy-one", idle_after="1m"),
        "crashing": service(folder, "crashing", idle_after="1m"),
        "killed": service(folder, "killed", idle_after="1m"),
        "unlucky": service(folder, "unlucky", idle_after="1m"),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> Up:
    return await shared_up(services)


async def test_a_thousand_requests_do_not_touch_python(gateway: Up) -> None:
    client = gateway.client()
    assert (await client.get("/", headers=host("busy-one"))).status_code == 200
    await gateway.until_phase("busy-one", "awake")
    before = (await gateway.status("busy-one"))["checks"]
    assert before >= 1
    for _ in range(20):
        answers = await asyncio.gather(*(client.get("/x", headers=host("busy-one")) for _ in range(50)))
        assert {answer.status_code for answer in answers} == {200}
    after = await gateway.status("busy-one")
    assert len(gateway.requests("busy-one")) >= 1000
    assert after["checks"] == before
    assert (await gateway.cli("status", "--json")).json()[0]["checks"] == before


async def test_after_a_crash_the_next_request_is_answered_by_a_fresh_start(gateway: Up) -> None:
    client = gateway.client()
    pid = (await client.get("/", headers=host("crashing"))).json()["pid"]
    crashed = await client.post("/crash?code=9", headers=host("crashing"))
    assert crashed.status_code == 503, "this one cannot be saved"
    await until(lambda: not psutil.pid_exists(pid), "it is dead")  # it may take one more in its last moment
    answer = await client.post("/after", headers=host("crashing"), content=b"abc")
    assert answer.status_code == 200, answer.text
    assert answer.json()["pid"] != pid
    assert gateway.starts("crashing") == 2
    [crash] = gateway.events("crashing", "crashed")
    assert crash["reason"] == "exit code 9"
    why = await gateway.cli("why", "crashing")
    assert "exit code 9" in why.out


async def test_a_killed_service_loses_no_request_that_comes_after_it(gateway: Up) -> None:
    client = gateway.client()
    pid = (await client.get("/", headers=host("killed"))).json()["pid"]
    psutil.Process(pid).kill()
    await until(lambda: not psutil.pid_exists(pid), "it is dead")  # what is open in it meanwhile is lost
    answers = await asyncio.gather(*(client.get(f"/{n}", headers=host("killed")) for n in range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert len({answer.json()["pid"] for answer in answers}) == 1
    assert gateway.starts("killed") == 2
    [crash] = gateway.events("killed", "crashed")
    assert crash["reason"] == "killed by signal 9 (SIGKILL)"


async def test_envoy_killed_while_awake_serves_again_within_a_second(gateway: Up) -> None:
    client = gateway.client()
    before = (await client.get("/", headers=host("unlucky"))).json()["pid"]
    await gateway.until_phase("unlucky", "awake")
    old = gateway.envoy_pid()
    psutil.Process(old).kill()
    begun = time.monotonic()
    await until(lambda: not psutil.pid_exists(old), "it is dead")  # or it might answer once more

    async def served() -> Any:
        async with httpx2.AsyncClient(base_url=gateway.url, trust_env=False, verify=False) as fresh:
            try:
                answer = await fresh.get("/", headers=host("unlucky"))
            except httpx2.TransportError:
                return None
        return answer if answer.status_code == 200 else None

    answer = await until(served, "served again")
    assert time.monotonic() - begun < 10.0, "a second on a machine that has nothing else to do"
    assert answer.json()["pid"] == before, "the service itself was not touched"
    await until(lambda: gateway.envoy_pid() != old, "the new one is written down")
    assert len(gateway.envoys()) == 1
    assert (await gateway.status("unlucky"))["phase"] == "awake"
    asleep = await client.get("/", headers={**host("unlucky"), "accept": "text/html"})
    assert asleep.status_code == 200


async def test_envoy_killed_over_and_over_ends_in_one_that_serves(gateway: Up) -> None:
    client = gateway.client()
    for _ in range(3):
        old = await until(lambda: next(iter(gateway.envoys()), None), "an envoy")
        old.kill()
        await until(lambda old=old: old.pid not in [one.pid for one in gateway.envoys()], "it is gone")
    await until(lambda: len(gateway.envoys()) == 1 and _answers(gateway), "it serves")
    assert (await client.get("/", headers=host("unlucky"))).status_code == 200


async def _answers(gateway: Up) -> bool:
    async with httpx2.AsyncClient(base_url=gateway.url, trust_env=False, verify=False) as fresh:
        try:
            return (await fresh.get("/", headers=host("nobody"))).status_code == 404
        except httpx2.TransportError:
            return False
