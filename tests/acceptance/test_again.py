"""A service that fails in its first seconds: whose request is sent again, and whose is not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def services(folder: Path) -> dict[str, Json]:
    return {
        "racing": service(folder, "racing", "--race", "2", idle_after="1m"),
        "posted": service(folder, "posted", "--race", "1", idle_after="1m"),
        "visited": service(folder, "visited", "--race", "2", idle_after="1m"),
        "crashing": service(folder, "crashing", idle_after="1m"),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> Up:
    return await shared_up(services)


async def test_the_request_that_woke_it_does_not_see_its_first_errors(gateway: Up) -> None:
    answer = await gateway.client().get("/first", headers=host("racing"))
    assert answer.status_code == 200
    assert gateway.requests("racing").count("GET /first") == 3


async def test_neither_does_who_comes_when_the_gate_is_off(gateway: Up) -> None:
    """As the waiting page does: it loads the service as soon as it is awake."""
    await gateway.post("/api/v1/services/visited/wake")
    await gateway.until_phase("visited", "awake")
    answer = await gateway.client().get("/", headers={**host("visited"), "accept": "text/html"})
    assert answer.status_code == 200
    assert gateway.requests("visited").count("GET /") == 3
    assert (await gateway.status("visited"))["checks"] == 0


async def test_a_post_that_has_reached_it_is_never_repeated(gateway: Up) -> None:
    body = b"x" * 200_000
    answers = [await gateway.client().post("/once", headers=host("posted"), content=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [500, 200]
    assert answers[1].json()["length"] == len(body)
    assert gateway.requests("posted").count("POST /once") == 2


async def test_a_crash_in_the_first_seconds_loses_the_post_only(gateway: Up) -> None:
    """As long as it is back within some seconds, for which a busy machine may need more than one crash."""
    client, crashes, status = gateway.client(), 0, 503
    while status == 503 and crashes < 4:
        crashes += 1
        pid = (await client.get("/", headers=host("crashing"))).json()["pid"]
        path = f"/long/{crashes}?seconds=3"
        both = [
            asyncio.create_task(client.request(one, path, headers=host("crashing")))
            for one in ("GET", "POST")
        ]
        await until(lambda: sum(path in line for line in gateway.requests("crashing")) == 2, "both are there")  # noqa: B023
        psutil.Process(pid).kill()
        got, posted = await asyncio.gather(*both)
        assert posted.status_code == 503
        assert gateway.requests("crashing").count(f"POST {path}") == 1
        status = got.status_code
    assert status == 200
    assert got.json()["pid"] != pid
    assert gateway.starts("crashing") == crashes + 1
