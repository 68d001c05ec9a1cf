"""Services that name the same GPU, with the real program: who waits, who makes room, and what people read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from tests.acceptance.conftest import Start
from tests.acceptance.running import PATIENCE, Json, Up, host, service, until
from tests.acceptance.stories import Story, Told, chosen, name_of, told

pytestmark = pytest.mark.asyncio(loop_scope="module")


def services(folder: Path) -> dict[str, Json]:
    """Each story has a GPU of its own; there is none of them, and nobody minds."""

    def on(gpu: str, name: str, *, idle_after: str = "1m", **more: str | int) -> dict[str, Json]:
        share = {"name": gpu, "min_awake": "1s", **more}
        return {name: service(folder, name, idle_after=idle_after, gpu=share)}

    policy = {"max_instances": 3, "target": {"concurrency": 1}}
    several: Json = {"concurrency": 1, "idle_after": "20s", "scale_policy": policy}
    return {
        **on("swap", "chat"),
        **on("swap", "images"),
        **on("pong", "ping", min_awake="2s"),
        **on("pong", "pong", min_awake="2s"),
        **on("room", "small", memory="10GB"),
        **on("room", "other", memory="10GB"),
        **on("room", "large", memory="14GB"),
        "wide": service(folder, "wide", gpu={"name": "wide", "memory": "10GB"}, **several),
        **on("kept", "kept"),
        **on("kept", "wish"),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> Up:
    gpus = {name: {"memory": "24GB"} for name in ("swap", "pong", "room", "wide", "kept")}
    return await shared_up(services, gpus=gpus)


async def one_ends_its_work_and_makes_room_for_the_other(gateway: Up) -> None:
    client = gateway.client()
    async with client.stream("GET", "/sse?count=32&every=0.25", headers=host("chat")) as stream:
        assert stream.status_code == 200
        lines = stream.aiter_lines()
        await anext(lines)
        held = asyncio.create_task(client.get("/first", headers=host("images")))
        await gateway.until_waiting("images", 1)
        row = await gateway.until_phase("chat", "draining")
        assert (row["reason"], row["rule"]) == ("makes room on GPU swap for images", "gpu")
        waiting = await gateway.status("images")
        assert (waiting["phase"], waiting["gpu"]["verdict"]) == ("waking", "waits")
        assert waiting["reason"] == "requests are waiting; waits for GPU swap: chat makes room"
        await until(lambda: _shut(gateway, "chat"), "nobody is let in any more")
        again = asyncio.create_task(client.get("/again", headers=host("chat")))
        rest = [line async for line in lines if line.startswith("data:")]
    assert json.loads(rest[-1].removeprefix("data:"))["number"] == 31, "the stream was not cut"
    answer = await held
    assert answer.status_code == 200
    assert (await again).status_code == 200, "who asked meanwhile gets the next turn"
    order = [
        (event["kind"], event["service"])
        for event in gateway.events()
        if event["service"] in ("chat", "images") and event["kind"] in ("start", "stopped")
    ]
    assert order[:5] == [
        ("start", "chat"),
        ("stopped", "chat"),
        ("start", "images"),
        ("stopped", "images"),
        ("start", "chat"),
    ]


async def _shut(gateway: Up, name: str) -> bool:
    return bool((await gateway.status(name))["gate"] == "closed")


async def two_that_are_always_asked_for_take_turns_in_peace(gateway: Up) -> None:
    client, answered = gateway.client(), {"ping": 0, "pong": 0}

    def starts() -> list[float]:
        return sorted(event["at"] for name in answered for event in gateway.events(name, "start"))

    async def ask(name: str) -> None:
        while len(starts()) < 5:
            assert (await client.get("/", headers=host(name))).status_code == 200
            answered[name] += 1
            await asyncio.sleep(0.05)

    async with asyncio.timeout(2 * PATIENCE):
        await asyncio.gather(ask("ping"), ask("pong"))
    assert min(answered.values()) > 1, answered
    assert all(later - early >= 2.0 for early, later in pairwise(starts())), "not more often than every 2 s"
    assert "TWO AT ONCE" not in gateway.seen("ping") + gateway.seen("pong")


async def what_fits_is_awake_together(gateway: Up) -> None:
    client = gateway.client()
    for name in ("small", "other"):
        assert (await client.get("/", headers=host(name))).status_code == 200
    await asyncio.gather(*(gateway.until_phase(name, "awake") for name in ("small", "other")))
    assert (await client.get("/", headers=host("large"))).status_code == 200
    await gateway.until_phase("large", "awake")
    phases = [(await gateway.status(name))["phase"] for name in ("small", "other", "large")]
    assert sorted(phases) == ["asleep", "awake", "awake"], "one of the two was enough"
    said = await gateway.cli("why", "large")
    assert "uses 14GB of GPU room (24GB)" in said.out


async def what_a_person_keeps_awake_stays(gateway: Up) -> None:
    client = gateway.client()
    await gateway.post("/api/v1/services/kept/wake")
    await gateway.until_phase("kept", "awake")
    held = asyncio.create_task(client.get("/", headers=host("wish")))
    await gateway.until_waiting("wish", 1)

    async def told() -> bool:
        return "which kept uses (kept awake" in (await gateway.status("wish"))["reason"]

    await until(told, "it says what keeps the GPU")
    said = await gateway.cli("why", "wish")
    assert "wish is waking: requests are waiting; waits for GPU kept, which kept uses (kept awake" in said.out
    assert "uses GPU kept alone; waits for GPU kept, which kept uses" in said.out
    since = (await gateway.status("kept"))["instances"][0]["since"]
    page = await client.get(
        "/", headers={**host("wish"), "sec-fetch-dest": "document", "accept": "text/html"}
    )
    assert page.status_code == 503, "a browser is shown the waiting page"
    await asyncio.wait([held], timeout=2.0)
    assert (await gateway.status("kept"))["instances"][0]["since"] == since
    await gateway.post("/api/v1/services/kept/auto")
    assert (await held).status_code == 200
    assert (await gateway.status("kept"))["phase"] == "asleep"


async def there_are_no_more_instances_than_fit(gateway: Up) -> None:
    client = gateway.client()
    asked = [client.get("/work?seconds=2.5", headers=host("wide")) for _ in range(5)]
    answers = asyncio.gather(*asked)

    async def told() -> Json | None:
        row = await gateway.status("wide")
        return row if "there is no room for more on GPU wide" in row["reason"] else None

    row = await until(told, "it says why there are no more")
    assert (row["desired"], row["gpu"]["room"]) == (2, 2)
    assert {answer.status_code for answer in await answers} == {200}
    assert len({event["instance"] for event in gateway.events("wide", "start")}) == 2


STORIES: list[Story] = [
    one_ends_its_work_and_makes_room_for_the_other,
    two_that_are_always_asked_for_take_turns_in_peace,
    what_fits_is_awake_together,
    what_a_person_keeps_awake_stays,
    there_are_no_more_instances_than_fit,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stories(request: pytest.FixtureRequest, gateway: Up) -> AsyncIterator[Told]:
    async for tasks in told(chosen(request), gateway):
        yield tasks


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, stories: Told) -> None:
    await stories[story.__name__]
