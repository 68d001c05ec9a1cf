"""Who may wake a service, and how often, with the real program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
HTML = {"accept": "text/html", "accept-language": "en"}
MONITOR = {"user-agent": "Uptime-Kuma/1.23.16"}


def services(folder: Path) -> dict[str, Json]:
    return {
        "watched": service(folder, "watched", idle_after="3s"),
        "few": service(folder, "few", max_wakes="2/1h"),
        "each": service(folder, "each", idle_after="4s", max_wakes_per_client="1/1h"),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> AsyncIterator[Up]:
    yield await shared_up(services)


async def test_who_may_not_wake_it_may_not_keep_it_awake(gateway: Up) -> None:
    client = gateway.client()
    for headers in (MONITOR, {"user-agent": "GPTBot/1.2"}):
        await client.get("/", headers={**host("watched"), **headers})
    assert gateway.starts("watched") == 0
    assert (await client.get("/", headers=host("watched"))).status_code == 200
    seen = 0

    async def asleep() -> bool:
        nonlocal seen
        answer = await client.get("/health", headers={**host("watched"), **MONITOR})
        assert answer.status_code == 200
        seen += "pid" in answer.json()
        await client.get("/favicon.ico", headers={**host("watched"), **HTML})
        await client.head("/", headers=host("watched"))
        return bool((await gateway.status("watched"))["phase"] == "asleep")

    await until(asleep, "it sleeps, though it is looked at all the time", every=0.05)
    assert seen > 0, "awake, the monitor hears the service itself"
    assert "GET /favicon.ico" in gateway.requests("watched"), "so does who wants the picture"
    assert gateway.starts("watched") == 1


async def wake(gateway: Up, client: httpx2.AsyncClient, name: str) -> httpx2.Response:
    await gateway.until_phase(name, "asleep")
    return await client.post("/work", headers=host(name))


async def limited(gateway: Up, client: httpx2.AsyncClient, name: str, code: int) -> None:
    await gateway.until_phase(name, "asleep")
    answer = await client.post("/work", headers=host(name))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (code, "too_many_wakes")
    assert 3500 < int(answer.headers["retry-after"]) == error["retry_after"] <= 3600
    page = await client.get("/", headers={**host(name), **HTML})
    assert page.status_code == code
    assert "again in 60 min" in page.text or "again in 1 h" in page.text or "again in 59 min" in page.text


async def test_requests_wake_it_only_so_often_also_after_a_kill(gateway: Up) -> None:
    client = gateway.client()
    few = [await wake(gateway, client, "few") for _ in range(2)]
    assert [answer.status_code for answer in few] == [200, 200]
    await limited(gateway, client, "few", 503)
    why = await gateway.status("few")
    assert why["rule"] == "limit"
    assert why["reason"] == "woken by requests 2 times within 1h, as often as max_wakes allows"
    assert why["wakes_by_request"]["count"] == 2
    said = await gateway.cli("why", "few")
    assert "woken by requests: 2 of 2 within 1h" in said.out

    gateway.kill9()
    await gateway.start()
    await limited(gateway, client, "few", 503)
    assert gateway.starts("few") == 2
    await gateway.post("/api/v1/services/few/wake", {})
    assert (await client.post("/work", headers=host("few"))).status_code == 200, "a person always may"
    assert len(gateway.events("few", "woken")) == 2


async def test_each_client_has_its_own_limit(gateway: Up) -> None:
    here = gateway.client()
    there = gateway.client(transport=httpx2.AsyncHTTPTransport(local_address="127.0.0.9", verify=False))
    assert (await wake(gateway, here, "each")).status_code == 200
    await limited(gateway, here, "each", 429)
    assert (await wake(gateway, there, "each")).status_code == 200
    both = await asyncio.gather(*(client.post("/", headers=host("each")) for client in (here, there)))
    assert [answer.status_code for answer in both] == [200, 200], "who may not wake it may use it"
    told = gateway.events("each", "woken")
    assert len({event["detail"]["client"] for event in told}) == 2
    assert "127.0.0" not in str(told), "an address is nobody's business"
    assert told[0]["reason"].startswith("woken by python-httpx2/")
