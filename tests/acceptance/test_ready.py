"""Ready means it answers; and what becomes of starts that fail."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until
from tests.acceptance.stories import Story, Told, chosen, name_of, told

from poorwill.gateway.again import FRESH

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAVIGATION = {"sec-fetch-dest": "document", "accept": "text/html"}


def services(folder: Path) -> dict[str, Json]:
    quick = {"path": "/ready", "timeout": "4s"}
    wanted = {"hold": "2s", "idle_after": "1m"}  # after that nobody waits any more, and yet it is to come
    made = {
        "refusing": service(folder, "refusing", "--refuse", "3", idle_after="1m"),
        "connecting": service(folder, "connecting", "--startup", "0.5", ready={"tcp": True}),
        "warming": service(folder, "warming", warmup=["/load?seconds=0.5", "/status/404", "/index"]),
        "hung-warmup": service(folder, "hung-warmup", warmup=["/keepalive?every=0.2"], ready=quick, **wanted),
        "never": service(folder, "never", "--startup", "60", ready=quick, hold="11s"),
        "always-500": service(folder, "always-500", ready={**quick, "path": "/status/500"}, **wanted),
        "exiting": service(folder, "exiting", "--exit", "3", hold="5s"),
        "missing": service(folder, "missing", hold="1s"),
        "healing": service(folder, "healing", "--broken-while", str(folder / "broken"), idle_after="1m"),
        "needed": service(folder, "needed", idle_after="8s"),
        "given-up": service(folder, "given-up", "--exit", "4", hold="1s", idle_after="2s"),
        "redirecting": service(folder, "redirecting", ready={"path": "/status/302", "timeout": "5s"}),
        "picky": service(folder, "picky", ready={"path": "/status/418", "status": 418, "timeout": "5s"}),
    }
    made["missing"]["run"]["process"]["command"] = ["no-such-program-anywhere", "{port}"]
    made["garbage"] = {
        **service(folder, "garbage", ready={"path": "/", "timeout": "4s"}, **wanted),
        "run": {"process": {"command": [sys.executable, "-c", GARBAGE, "{port}"]}},
    }
    return made


GARBAGE = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    one, _ = server.accept()
    one.recv(1000)
    one.sendall(b"\\x00\\xff\\x16 SSH-2.0 go away \\r\\n\\r\\n\\xfe\\xfd")
    one.close()
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> Up:
    def with_a_broken_disk(folder: Path) -> dict[str, Json]:
        (folder / "broken").touch()
        return services(folder)

    return await shared_up(with_a_broken_disk)


async def until_failed(gateway: Up, name: str, times: int = 1) -> Json:
    async def failed() -> Json | None:
        row = await gateway.status(name)
        return row if row["failures"]["in_a_row"] >= times else None

    row: Json = await until(failed, f"{name} failed {times} times", every=0.02)
    return row


async def an_error_at_first_is_not_ready(gateway: Up) -> None:
    answer = await gateway.client().get("/first", headers=host("refusing"))
    assert answer.status_code == 200
    assert gateway.requests("refusing") == ["GET /ready"] * 4 + ["GET /first"]


async def a_port_is_enough_with_tcp(gateway: Up) -> None:
    answer = await gateway.client().get("/first", headers=host("connecting"))
    assert answer.status_code == 200
    assert gateway.requests("connecting") == ["GET /first"]


async def warm_up_comes_before_the_first_visitor(gateway: Up) -> None:
    answer = await gateway.client().get("/first", headers=host("warming"))
    assert answer.status_code == 200, "a warm-up path that is refused delays nobody"
    expected = ["GET /ready", "GET /load?seconds=0.5", "GET /status/404", "GET /index", "GET /first"]
    assert gateway.requests("warming") == expected


async def a_redirect_means_ready(gateway: Up) -> None:
    assert (await gateway.client().get("/first", headers=host("redirecting"))).status_code == 200


async def the_status_that_means_ready_can_be_chosen(gateway: Up) -> None:
    assert (await gateway.client().get("/first", headers=host("picky"))).status_code == 200


async def a_start_that_takes_too_long_has_failed_and_is_tried_again_less_and_less_often(
    gateway: Up,
) -> None:
    client = gateway.client()
    begun = time.monotonic()
    asked = asyncio.create_task(client.post("/", headers=host("never")))
    row = await until_failed(gateway, "never")
    assert time.monotonic() - begun > 3.9
    assert "not ready within 4 s" in row["failures"]["last"]
    assert "does not accept connections" in row["failures"]["last"]
    answer = await asked
    assert answer.status_code == 503
    assert "not ready" not in answer.text
    # 11 s are: 4 s of trying, 1 s of pause, 4 s; then a pause of 2 s.
    begins = [event["at"] for event in gateway.events("never", "start")]
    assert all(after - before > 4.9 for before, after in pairwise(begins))
    assert len(begins) <= 3


async def a_command_that_exits_at_once_is_tried_again_with_pauses(gateway: Up) -> None:
    client = gateway.client()
    page = await client.get("/", headers={**host("exiting"), **NAVIGATION})
    assert page.status_code == 503
    held = asyncio.create_task(client.post("/", headers=host("exiting")))
    row = await until_failed(gateway, "exiting", times=2)
    assert "exit code 3" in row["failures"]["last"]
    why = await gateway.cli("why", "exiting")
    assert why.code == 0
    assert "exit code 3" in why.out
    assert "cannot find my model file" in why.out, "the last lines it printed"
    trouble = await client.get("/", headers={**host("exiting"), **NAVIGATION})
    assert "exit code" not in trouble.text
    assert "model file" not in trouble.text
    assert '"trouble": true' in trouble.text
    answer = await held
    assert answer.status_code == 503
    assert "exit code" not in answer.text
    begins = [event["at"] for event in gateway.events("exiting", "start")]
    assert all(after - before > 0.9 for before, after in pairwise(begins))
    assert len(begins) <= 4, "after 0, 1, 3 and 7 s"
    assert "exit code 3" in gateway.log.read_text()


async def a_missing_command_says_so_and_is_not_tried_in_a_loop(gateway: Up) -> None:
    held = asyncio.create_task(gateway.client().post("/", headers=host("missing")))
    row = await gateway.until_phase("missing", "failed")
    assert "no-such-program-anywhere" in row["failures"]["last"]
    answer = await held
    assert answer.status_code == 503
    assert "no-such-program" not in answer.text
    assert len(gateway.events("missing", "start")) <= 2


async def one_that_answers_500_for_ever_never_gets_a_visitor(gateway: Up) -> None:
    answer = await gateway.client().post("/visit", headers=host("always-500"))
    assert answer.status_code == 503
    row = await until_failed(gateway, "always-500")
    assert "GET /status/500 answered 500" in row["failures"]["last"]
    assert "POST /visit" not in gateway.requests("always-500")


async def one_that_speaks_no_http_fails_alone(gateway: Up) -> None:
    answer = await gateway.client().post("/visit", headers=host("garbage"))
    assert answer.status_code == 503
    row = await until_failed(gateway, "garbage")
    assert "not ready within 4 s" in row["failures"]["last"]


async def a_warm_up_that_never_ends_is_a_start_that_takes_too_long(gateway: Up) -> None:
    row: Json = {}
    answer = await gateway.client().post("/visit", headers={**host("hung-warmup"), "prefer": "wait=3"})
    assert answer.status_code == 503
    row = await until_failed(gateway, "hung-warmup")
    assert "not ready within 4 s" in row["failures"]["last"]


async def after_the_cause_is_gone_those_who_still_wait_are_answered(gateway: Up) -> None:
    held = asyncio.create_task(gateway.client().post("/held", headers=host("healing")))
    row = await gateway.until_phase("healing", "failed")
    assert "exit code 7" in row["reason"]
    (gateway.folder / "broken").unlink()
    assert (await held).status_code == 200
    row = await gateway.until_phase("healing", "awake")
    assert row["instances"][0]["ready"]


async def a_service_that_crashes_in_use_comes_back_by_itself(gateway: Up) -> None:
    """The start is long past and nobody waits, but it was in use a moment ago."""
    client = gateway.client()
    begun = time.monotonic()
    while time.monotonic() - begun < FRESH + 1:
        assert (await client.get("/", headers=host("needed"))).status_code == 200
        await asyncio.sleep(0.3)
    before = gateway.starts("needed")
    await client.post("/crash", headers=host("needed"))
    await until(lambda: gateway.starts("needed") == before + 1, "it was started again")
    await gateway.until_phase("needed", "awake")


async def a_failure_that_nobody_waits_for_is_left_alone(gateway: Up) -> None:
    assert (await gateway.client().post("/", headers=host("given-up"))).status_code == 503
    await gateway.until_phase("given-up", "asleep")
    before = gateway.starts("given-up")
    await until(lambda: gateway.events("given-up", "failed"), "that is written down")
    events = json.dumps(gateway.events("given-up", "failed"))
    assert "exit code 4" in events
    assert before <= 3


STORIES: list[Story] = [
    an_error_at_first_is_not_ready,
    a_port_is_enough_with_tcp,
    warm_up_comes_before_the_first_visitor,
    a_redirect_means_ready,
    the_status_that_means_ready_can_be_chosen,
    a_start_that_takes_too_long_has_failed_and_is_tried_again_less_and_less_often,
    a_command_that_exits_at_once_is_tried_again_with_pauses,
    a_missing_command_says_so_and_is_not_tried_in_a_loop,
    one_that_answers_500_for_ever_never_gets_a_visitor,
    one_that_speaks_no_http_fails_alone,
    a_warm_up_that_never_ends_is_a_start_that_takes_too_long,
    after_the_cause_is_gone_those_who_still_wait_are_answered,
    a_service_that_crashes_in_use_comes_back_by_itself,
    a_failure_that_nobody_waits_for_is_left_alone,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stories(request: pytest.FixtureRequest, gateway: Up) -> AsyncIterator[Told]:
    async for tasks in told(chosen(request), gateway):
        yield tasks


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, stories: Told) -> None:
    await stories[story.__name__]
