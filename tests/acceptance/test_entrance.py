"""What a visit does outside the hours, with the real program: nothing without a click, or nothing at all."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until
from tests.acceptance.stories import Story, Told, name_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

HTML = {"accept": "text/html"}


def click(name: str) -> dict[str, str]:
    """What a browser sends for the button of the page."""
    return {**host(name), "origin": f"http://{name}.test", **HTML}


async def read(client: httpx2.AsyncClient, name: str, **fields: str) -> dict[str, str]:
    """What the form of the page says."""

    async def shown() -> re.Match[str] | None:
        page = await client.get("/", headers={**host(name), **HTML})
        return re.search(r'name="token" value="([0-9a-f.]+)"', page.text)

    found = await until(shown, "the page that asks for a click")
    return {"token": found[1], **fields}


async def only_a_click_wakes(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it", "--opens-when", "open", on_request="page")})
    client = gateway.client()
    for method, headers in (("GET", HTML), ("POST", {}), ("HEAD", {}), ("GET", {"sec-purpose": "prefetch"})):
        answer = await client.request(method, "/chat", headers={**host("it"), **headers})
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) == 300
    assert (await client.post("/chat", headers=host("it"))).json()["error"]["code"] == "service_asleep_page"
    assert (await client.get("/.poorwill/it/wake", headers=host("it"))).status_code == 405
    assert (await client.post("/.poorwill/it/wake", headers=host("it"))).status_code == 403
    await client.post("/.poorwill/it/wake", headers=click("it"))
    await client.post("/.poorwill/it/wake", headers=click("it"), data={"token": "6925a000.0123456789abcdef"})
    assert gateway.starts("it") == 0

    form = await read(client, "it", back="/chat?room=1")
    answer = await client.post("/.poorwill/it/wake", headers=click("it"), data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/chat?room=1")
    page = await client.get("/chat?room=1", headers={**host("it"), **HTML})
    assert "is waking up" in page.text
    (tmp_path / "open").touch()
    assert (await client.post("/held", headers=host("it"))).status_code == 200, "programs wait as usual now"
    assert gateway.starts("it") == 1

    await gateway.until_phase("it", "asleep")
    assert (await client.post("/again", headers=host("it"))).status_code == 503
    assert gateway.starts("it") == 1


async def a_click_during_a_stop_is_remembered(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it", "--linger", "2.5", on_request="page")})
    client = gateway.client()
    form = await read(client, "it")
    await client.post("/.poorwill/it/wake", headers=click("it"), data=form)
    assert (await client.post("/", headers=host("it"))).status_code == 200
    await gateway.until_phase("it", "stopping")
    await client.post("/.poorwill/it/wake", headers=click("it"), data=form)
    page = await client.get("/", headers={**host("it"), **HTML})
    assert "is waking up" in page.text, "nobody is asked twice"
    assert (await client.post("/", headers=host("it"))).status_code == 200
    assert gateway.starts("it") == 2


SLOW: Json = {
    "hosts": ["it.test"],
    "run": {"fake": {"call_takes": "1s", "answers_after": "3s"}},
    "ready": {"timeout": "20s"},
    "hold": "30s",
}
"""A place that takes its time to say what runs: the next control plane knows nothing for a second."""


async def held_over_a_kill(gateway: Up) -> None:
    client = gateway.client()
    held = [asyncio.create_task(client.post(f"/{number}", headers=host("it"))) for number in range(5)]
    await gateway.until_waiting("it", 5)
    await until(lambda: gateway.events("it", "start"), "the start is written down: the click is not")
    gateway.kill9()
    await gateway.start()
    assert [answer.status_code for answer in await asyncio.gather(*held)] == [200] * 5


async def a_killed_control_plane_loses_nobody_who_was_held_after_a_click(up: Start) -> None:
    gateway = await up({"it": {**SLOW, "on_request": "page"}})
    client = gateway.client()
    await client.post("/.poorwill/it/wake", headers=click("it"), data=await read(client, "it"))
    await held_over_a_kill(gateway)


async def a_click_while_the_control_plane_is_dead_wakes_when_it_is_back(up: Start) -> None:
    gateway = await up({"it": {**SLOW, "on_request": "page"}})
    client = gateway.client()
    form = await read(client, "it")
    gateway.kill9()
    clicking = asyncio.create_task(client.post("/.poorwill/it/wake", headers=click("it"), data=form))
    await gateway.start()
    assert (await clicking).status_code == 303
    await gateway.until_phase("it", "awake")


def hours(begin: datetime, end: datetime) -> list[dict[str, str]]:
    return [{"start": f"{begin:%-M %-H} * * *", "stop": f"{end:%-M %-H} * * *"}]


async def closed_until_the_next_opening(up: Start, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    schedule = hours(now + timedelta(hours=3), now + timedelta(hours=4))
    gateway = await up(
        {"it": service(tmp_path, "it", on_request="closed", schedule=schedule)}, timezone="UTC"
    )
    client = gateway.client()
    answer = await client.post("/", headers=host("it"))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["time_zone"]) == (503, "service_closed", "UTC")
    assert 2.9 * 3600 < int(answer.headers["retry-after"]) == error["retry_after"] <= 3 * 3600
    assert error["next_opening"] == f"{now + timedelta(hours=3):%Y-%m-%dT%H:%M}:00+00:00"
    assert len(error["opening_hours"]) in (7, 8)
    page = await client.get("/", headers={**host("it"), **HTML, "accept-language": "zh"})
    assert "it</bdi> 暂未开放" in page.text
    assert (await client.post("/.poorwill/it/wake", headers=click("it"))).status_code == 303
    assert gateway.starts("it") == 0

    await gateway.post("/api/v1/services/it/wake", {})
    assert (await client.post("/", headers=host("it"))).status_code == 200, (
        "a person may open it all the same"
    )


async def a_control_plane_that_begins_within_the_hours_sends_nobody_away(up: Start) -> None:
    now = datetime.now(UTC)
    schedule = hours(now - timedelta(minutes=2), now + timedelta(hours=1))
    gateway = await up({"it": {**SLOW, "on_request": "closed", "schedule": schedule}}, timezone="UTC")
    await held_over_a_kill(gateway)


STORIES: list[Story] = [
    only_a_click_wakes,
    a_click_during_a_stop_is_remembered,
    a_killed_control_plane_loses_nobody_who_was_held_after_a_click,
    a_click_while_the_control_plane_is_dead_wakes_when_it_is_back,
    closed_until_the_next_opening,
    a_control_plane_that_begins_within_the_hours_sends_nobody_away,
]


@pytest.mark.parametrize("story", STORIES, ids=name_of)
async def test(story: Story, apart: Told) -> None:
    await apart[story.__name__]
