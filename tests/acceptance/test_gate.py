"""What a sleeping service's visitors are answered, each kind of them, and which of them wake it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from math import ceil
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAVIGATION = {"sec-fetch-dest": "document", "accept": "text/html,*/*;q=0.8"}


def services(folder: Path) -> dict[str, Json]:
    slow = ("--startup", "1.2")
    return {
        "quiet": service(folder, "quiet", traffic={"background": ["/heartbeat/*"]}),
        "tab": service(folder, "tab", *slow, idle_after="1m"),
        "old-tab": service(folder, "old-tab", *slow, idle_after="1m"),
        "frame": service(folder, "frame", *slow, idle_after="1m"),
        "chinese": service(folder, "chinese", *slow, idle_after="1m"),
        "preflight": service(folder, "preflight", idle_after="1m"),
        "xhr": service(folder, "xhr", idle_after="1m"),
        "post": service(folder, "post", idle_after="1m"),
        "expiring": service(folder, "expiring", "--startup", "30", hold="1s"),
        "impatient": service(folder, "impatient", "--startup", "30", hold="20s"),
        "watched": service(folder, "watched", "--startup", "3", idle_after="1m"),
        "renewed": service(folder, "renewed", "--broken-while", str(folder / "broken"), idle_after="1s"),
        "switched-off": service(folder, "switched-off", idle_after="1s"),
        "put-off": service(folder, "put-off", "--startup", "5", idle_after="1m"),
        "known": service(folder, "known", "--startup", "0.5", idle_after="1s"),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> Up:
    return await shared_up(services)


def is_json_503(answer: Any, code: str) -> bool:
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["cache-control"] == "no-store"
    return bool(answer.json()["error"]["code"] == code)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {**NAVIGATION, "sec-purpose": "prefetch"}),
        ("GET", "/", {**NAVIGATION, "sec-purpose": "prefetch;prerender"}),
        ("GET", "/", {**NAVIGATION, "purpose": "prefetch"}),
        ("GET", "/", {"user-agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}),
        ("GET", "/", {"user-agent": "facebookexternalhit/1.1", "accept": "text/html"}),
        ("HEAD", "/", {}),
        ("OPTIONS", "/", {"origin": "https://else.test"}),
        ("GET", "/heartbeat/1", NAVIGATION),
        ("POST", "/heartbeat/1", {}),
    ],
)
async def test_answered_at_once_and_nothing_wakes(
    gateway: Up, method: str, path: str, headers: dict[str, str]
) -> None:
    begun = time.monotonic()
    answer = await gateway.client().request(method, path, headers={**host("quiet"), **headers})
    assert time.monotonic() - begun < 15.0, "nobody was held"
    if method == "HEAD":
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
    elif "text/html" in headers.get("accept", "") and path == "/":
        assert answer.status_code == 503
        assert answer.headers["content-type"].startswith("text/html")
        assert 'http-equiv="refresh"' not in answer.text, "it would wake the service"
    else:
        assert is_json_503(answer, "service_asleep")
    row = await gateway.status("quiet")
    assert (row["phase"], row["desired"], row["waiting"]) == ("asleep", 0, 0)
    assert gateway.starts("quiet") == 0


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("tab", NAVIGATION),
        ("old-tab", {"accept": "text/html"}),
        ("frame", {"sec-fetch-dest": "iframe", "accept": "*/*"}),
    ],
)
async def test_a_navigation_gets_the_waiting_page_at_once_and_wakes(
    gateway: Up, name: str, headers: dict[str, str]
) -> None:
    answer = await gateway.client().get("/", headers={**host(name), **headers})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 1 <= int(answer.headers["retry-after"]) <= 300
    assert answer.headers["cache-control"] == "no-store"
    assert '<html lang="en"' in answer.text
    assert 'http-equiv="refresh"' in answer.text, "it works without JavaScript"
    assert f"/.poorwill/{name}/events" in answer.text
    await gateway.until_phase(name, "awake")
    assert gateway.starts(name) == 1


async def test_the_waiting_page_speaks_chinese(gateway: Up) -> None:
    spoken = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.5"}
    answer = await gateway.client().get("/", headers={**host("chinese"), **NAVIGATION, **spoken})
    assert answer.status_code == 503
    assert '<html lang="zh' in answer.text
    other = await gateway.client().get("/", headers={**host("quiet"), **spoken, "purpose": "prefetch"})
    assert re.search("[\u4e00-\u9fff]", other.json()["error"]["message"])


@pytest.mark.parametrize(
    ("name", "method", "headers"),
    [
        (
            "preflight",
            "OPTIONS",
            {"origin": "https://else.test", "access-control-request-method": "POST"},
        ),
        ("xhr", "GET", {"sec-fetch-dest": "empty", "accept": "text/html"}),
        ("post", "POST", NAVIGATION),
    ],
)
async def test_held_and_then_answered_by_the_service(
    gateway: Up, name: str, method: str, headers: dict[str, str]
) -> None:
    answer = await gateway.client().request(method, "/it", headers={**host(name), **headers})
    assert answer.status_code == 200
    assert gateway.requests(name)[-1] == f"{method} /it"


async def test_the_hold_ends_with_503(gateway: Up) -> None:
    begun = time.monotonic()
    answer = await gateway.client().post("/", headers=host("expiring"), json={})
    assert is_json_503(answer, "service_waking")
    assert 0.9 < time.monotonic() - begun < 15.0
    assert answer.json()["error"]["retry_after"] == int(answer.headers["retry-after"])


async def test_a_client_may_wait_shorter_than_the_hold_but_not_longer(gateway: Up) -> None:
    client, begun = gateway.client(), time.monotonic()
    answer = await client.get("/", headers={**host("impatient"), "prefer": "wait=1"})
    assert is_json_503(answer, "service_waking")
    assert 0.9 < time.monotonic() - begun < 15.0
    begun = time.monotonic()
    longer = await client.get("/", headers={**host("expiring"), "prefer": "respond-async, wait=60"})
    assert is_json_503(longer, "service_waking")
    assert time.monotonic() - begun < 15.0


async def progress(gateway: Up, name: str) -> list[Json]:
    """All that the waiting page hears until the end of the stream; a named event counts as its name."""
    found: list[Json] = []
    name_of_event = ""
    path = f"/.poorwill/{name}/events"
    async with gateway.client().stream("GET", path, headers=host(name)) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name_of_event = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.append({**json.loads(line.removeprefix("data: ")), "event": name_of_event})
    return found


async def test_the_waiting_page_hears_how_it_goes_and_when_it_is_ready(gateway: Up) -> None:
    asked = await gateway.client().get("/", headers={**host("watched"), **NAVIGATION})
    assert asked.status_code == 503
    heard = await progress(gateway, "watched")
    assert [event["ready"] for event in heard[:-1]] == [False] * (len(heard) - 1)
    assert heard[-1]["ready"] is True
    assert len(heard) >= 2
    elapsed = [event["elapsed"] for event in heard[:-1]]
    assert elapsed == sorted(elapsed)
    assert (await gateway.client().get("/", headers={**host("watched"), **NAVIGATION})).status_code == 200
    assert gateway.starts("watched") == 1


async def test_an_open_waiting_page_keeps_asking_after_a_failure(gateway: Up) -> None:
    """The first start fails. Nobody but the page's event stream wants the service; it is tried again."""
    (gateway.folder / "broken").touch()
    page = asyncio.create_task(progress(gateway, "renewed"))
    await until(lambda: gateway.starts("renewed") >= 2, "a second start")
    (gateway.folder / "broken").unlink()
    heard = await page
    assert heard[-1]["ready"] is True
    assert any(event["trouble"] for event in heard)
    assert "disk" not in json.dumps(heard), "the reason is the operator's"


async def test_put_to_sleep_by_a_person_it_is_not_woken_and_says_so(gateway: Up) -> None:
    assert (await gateway.cli("sleep", "switched-off")).code == 0
    client = gateway.client()
    page = await client.get("/", headers={**host("switched-off"), **NAVIGATION})
    assert page.status_code == 503
    assert page.headers["content-type"].startswith("text/html")
    assert "switched-off" in page.text
    assert 'http-equiv="refresh"' not in page.text
    assert is_json_503(await client.post("/", headers=host("switched-off")), "service_put_to_sleep")
    assert (await progress(gateway, "switched-off"))[-1]["event"] == "gone"
    row = await gateway.status("switched-off")
    assert (row["phase"], row["desired"]) == ("asleep", 0)
    assert "put to sleep by " in row["reason"]
    assert gateway.starts("switched-off") == 0
    assert (await gateway.cli("auto", "switched-off")).code == 0
    assert (await client.post("/", headers=host("switched-off"))).status_code == 200


async def test_a_person_says_sleep_while_others_wait_for_the_start(gateway: Up) -> None:
    client = gateway.client()
    waiting = [asyncio.create_task(client.post("/", headers=host("put-off"))) for _ in range(3)]
    await gateway.until_waiting("put-off", 3)
    await gateway.post("/api/v1/services/put-off/sleep", {"by": "by a test"})
    for answer in await asyncio.gather(*waiting):
        assert is_json_503(answer, "service_put_to_sleep")
    await gateway.until_phase("put-off", "asleep")
    assert gateway.children("put-off") == []
    failures = (await gateway.status("put-off"))["failures"]
    assert failures["in_a_row"] == 0, "a start that was called off has not failed"


async def test_the_estimate_comes_from_the_services_own_wakes(gateway: Up) -> None:
    client = gateway.client()
    first = await client.get("/", headers={**host("known"), **NAVIGATION})
    assert '"median": null' in first.text or '"median":null' in first.text
    await until(lambda: gateway.events("known", "ready"), "it was awake")
    row = await gateway.until_phase("known", "asleep")
    assert row["wakes"]["count"] == 1
    assert row["wakes"]["median"] >= 0.5
    second = await client.get("/", headers={**host("known"), **NAVIGATION})
    assert f'"median": {row["wakes"]["median"]:.3f}'.rstrip("0") in second.text
    assert int(second.headers["retry-after"]) == max(1, ceil(row["wakes"]["p90"]))
