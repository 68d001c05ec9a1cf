"""A service in the fake place, as somebody has it who tries Poorwill without a GPU."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, until
from tests.acceptance.stories import Story, Told, name_of

from poorwill.core.ledger import lives
from poorwill.store.journal import read_only

pytestmark = pytest.mark.asyncio(loop_scope="module")


def played(**keys: Any) -> Json:
    run = {"fake": {"weather": "weather.json", "stop_takes": "100ms", **keys}}
    return {"hosts": ["gpu.test"], "run": run, "ready": {"timeout": "20s"}, "idle_after": "1s", "drain": "1s"}


def weather(gateway: Up, **keys: Any) -> None:
    (gateway.folder / "weather.json").write_text(json.dumps(keys))


async def a_visit_wakes_it_through_a_failure_and_it_sleeps_again(up: Start) -> None:
    gateway = await up({"gpu": played(starts=["no_capacity", "ok"], start_takes="300ms", stops=["later"])})
    asking = asyncio.create_task(gateway.client().get("/hello", headers=host("gpu")))
    await until(lambda: gateway.events("gpu", "call_failed"), "it was not to be had")
    await gateway.post("/api/v1/services/gpu/wake")  # else it is asked for again in half a minute
    answer = await asking
    assert (answer.status_code, answer.json()["path"]) == (200, "/hello")
    await gateway.post("/api/v1/services/gpu/auto")
    await gateway.until_phase("gpu", "asleep")
    failed = [event["reason"] for event in gateway.events("gpu", "call_failed")]
    assert failed == ["the fake place has no GPU in stock"]
    assert gateway.children("gpu") == []
    with read_only(
        gateway.folder / "state"
    ) as journal:  # what was refused costs nothing, what ran is known exactly
        (life,) = lives(journal.ledger(0.0, 1e11), time.time())
    there, gone = gateway.events("gpu", "there")[-1], gateway.events("gpu", "gone")[-1]
    assert (life.exact, life.start, life.end) == (True, there["detail"]["since"], gone["detail"]["until"])


async def it_outlives_poorwill_and_the_place_may_be_dark_meanwhile(up: Start) -> None:
    gateway = await up({"gpu": played(answers_after="100ms") | {"idle_after": "1h"}})
    first = await gateway.client().get("/", headers=host("gpu"))
    before = {child.pid for child in gateway.children("gpu")}
    gateway.kill9()
    weather(gateway, dark=True)
    await gateway.start()
    await gateway.until_phase("gpu", "unknown")
    assert (await gateway.client().get("/", headers=host("gpu"))).status_code == first.status_code == 200
    weather(gateway)
    await gateway.until_phase("gpu", "awake")
    assert {child.pid for child in gateway.children("gpu")} == before


async def a_stop_that_does_nothing_is_asked_again(up: Start) -> None:
    gateway = await up({"gpu": played(stops=["nothing", "error", "ok"])})
    await gateway.client().get("/", headers=host("gpu"))
    await gateway.until_phase("gpu", "asleep")
    assert gateway.children("gpu") == []
    assert gateway.events("gpu", "call_failed")


async def a_crash_is_told_with_its_exit_code(up: Start) -> None:
    gateway = await up({"gpu": played() | {"idle_after": "1h"}})
    client = gateway.client()
    await client.get("/", headers=host("gpu"))
    crashing = asyncio.ensure_future(client.post("/crash?code=9", headers=host("gpu")))
    (crashed,) = await until(lambda: gateway.events("gpu", "crashed"), "the crash is in the journal")
    assert "exit code 9" in crashed["reason"]
    await asyncio.wait([crashing])


STORIES: list[Story] = [
    a_visit_wakes_it_through_a_failure_and_it_sleeps_again,
    it_outlives_poorwill_and_the_place_may_be_dark_meanwhile,
    a_stop_that_does_nothing_is_asked_again,
    a_crash_is_told_with_its_exit_code,
]


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, apart: Told) -> None:
    await apart[story.__name__]
