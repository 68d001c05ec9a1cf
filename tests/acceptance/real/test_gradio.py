"""A real Gradio app, used by a program and by a person at a browser.

What the open tab of a Gradio app (6.31) asks for by itself, and the traffic classes that follow from it:

- ``/gradio_api/heartbeat/SESSION``: a stream, open as long as the tab, with a word from the app every 15 s.
  *background*. The tab does not open it again when it ends.
- ``/gradio_api/queue/data``: a stream, open as long as an answer is awaited, however quiet. *busy*.
- ``/gradio_api/app_id``: asked every 2 s once an answer broke off, until it succeeds; then the tab loads
  itself anew. *background*: it must not wake the service for a tab that was forgotten in this state.

Otherwise an idle tab is silent: asleep or awake, it asks for nothing. An app with a ``gr.Timer`` is not idle.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up
from tests.browser.conftest import CHROMIUM, QUIET

from poorwill.gateway.xds import sockets_in
from poorwill.store.folder import sockets_of

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

APP = Path(__file__).with_name("gradio_app.py")
IDLE_AFTER = 3.0
WAKE = 60.0
"""Seconds that a start of the app may take on a busy machine."""

TRAFFIC = {
    "background": ["/gradio_api/heartbeat/*", "/gradio_api/app_id"],
    "busy": ["/gradio_api/queue/data"],
}
QUIETER = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "GRADIO_HEARTBEAT_INTERVAL": "1",  # more often than idle_after: the harder case
}
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


def services(folder: Path) -> dict[str, Json]:
    command = [sys.executable, str(APP), "{port}", str(folder / "notes.txt")]
    return {
        "notes": {
            "run": {"process": {"command": command, "env": QUIETER}},
            "idle_after": f"{IDLE_AFTER:g}s",
            "hold": f"{WAKE:g}s",
            "traffic": TRAFFIC,
        }
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> Up:
    return await shared_up(services)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    assert CHROMIUM is not None, "the browser tests need a Chromium"
    async with async_playwright() as api:
        chromium = await api.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, OFFLINE])
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(locale="en-GB")
    yield await context.new_page()
    await context.close()


class Asked:
    """What a tab asks for: method and path, in order."""

    def __init__(self, page: Page, url: str) -> None:
        self._url = url
        self.all: list[str] = []
        page.on("request", lambda asked: self.all.append(f"{asked.method} {asked.url.removeprefix(url)}"))

    def take(self) -> list[str]:
        """Everything since the last time."""
        taken, self.all = self.all, []
        return taken


async def open_heartbeats(gateway: Up) -> int:
    """Envoy's own count of the streams now open to the app in the class background."""
    gauge = "cluster.notes/background.upstream_rq_active"
    transport = httpx2.AsyncHTTPTransport(uds=str(sockets_in(sockets_of(gateway.state)).admin))
    async with httpx2.AsyncClient(transport=transport, base_url="http://envoy") as envoy:
        stats = (await envoy.get("/stats", params={"filter": f"^{gauge}$"})).text
    return int(stats.removeprefix(f"{gauge}: "))


async def idle_after(gateway: Up, seconds: float) -> None:
    """From now on. A busy machine may be silent for a few seconds while it only draws the page."""
    gateway.services["notes"]["idle_after"] = f"{seconds:g}s"
    gateway.write()
    await gateway.post("/api/v1/reload")


async def asleep(gateway: Up) -> None:
    """It sleeps now, and the next time only when it is told to."""
    await idle_after(gateway, IDLE_AFTER)
    await gateway.until_phase("notes", "asleep")
    await idle_after(gateway, 2 * WAKE)


async def falls_asleep_with_a_heartbeat(gateway: Up) -> None:
    """Asleep in time, although a heartbeat was open in the last moment in which it was there."""
    await idle_after(gateway, IDLE_AFTER)
    began, beats = time.monotonic(), 0
    while (await gateway.status("notes"))["phase"] != "asleep":
        assert time.monotonic() - began < IDLE_AFTER + 30, "the heartbeat keeps it awake"
        beats = await open_heartbeats(gateway) or beats
        await asyncio.sleep(0.05)
    assert beats == 1
    await idle_after(gateway, 2 * WAKE)
    assert gateway.children("notes") == []


def starts(gateway: Up) -> int:
    return len(gateway.events("notes", "start"))


async def test_a_program(gateway: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in QUIETER.items():
        monkeypatch.setenv(name, value)
    from gradio_client import Client

    await asleep(gateway)
    # Its patience is 5 s unless told otherwise, less than the app itself needs to start.
    patience: dict[str, Any] = {"timeout": WAKE}
    client = await asyncio.to_thread(
        Client,
        gateway.url,
        verbose=False,
        analytics_enabled=False,
        download_files=False,
        httpx_kwargs=patience,
    )
    kept = await asyncio.to_thread(client.predict, "monday", api_name="/keep")
    assert kept == ("monday\n", "1 kept in this session")

    # Silent for longer than idle_after, then streaming for longer than idle_after.
    await idle_after(gateway, IDLE_AFTER)
    said = await asyncio.to_thread(lambda: list(client.submit("slow 4", api_name="/chat")))
    assert said[-1] == "You said: word0 word1 word2 word3"
    assert starts(gateway) == 1
    phases = [event["detail"]["phase"] for event in gateway.events("notes", "phase")]
    assert "draining" not in phases, "nobody tried to put it to sleep meanwhile"

    await falls_asleep_with_a_heartbeat(gateway)
    kept = await asyncio.to_thread(client.predict, "tuesday", api_name="/keep")
    assert kept == ("monday\ntuesday\n", "1 kept in this session"), "files stay, the app's memory does not"
    assert starts(gateway) == 2
    await asyncio.to_thread(client.close)


async def test_a_person_with_an_open_tab(gateway: Up, page: Page) -> None:
    await asleep(gateway)
    (gateway.folder / "notes.txt").write_text("yesterday\n")
    before = starts(gateway)
    asked = Asked(page, gateway.url)

    answer = await page.goto(gateway.url)
    assert answer is not None
    assert (answer.status, answer.headers["retry-after"].isdigit()) == (503, True)
    await expect(page.locator("h1")).to_have_text("notes is waking up")
    await expect(page.locator("#notes textarea")).to_have_value("yesterday\n", timeout=WAKE * 1000)
    assert [line for line in asked.all if line == "GET /"] == ["GET /"] * 2, "the visit and one reload"

    await page.evaluate("window.sameTab = true")
    await page.locator("#note textarea").fill("monday")
    await page.locator("#keep").click()
    await expect(page.locator("#notes textarea")).to_have_value("yesterday\nmonday\n")
    await page.locator("#ask textarea").fill("who is there")
    await page.locator("#ask textarea").press("Enter")
    await expect(page.get_by_test_id("bot").last).to_contain_text("You said: who is there")

    await falls_asleep_with_a_heartbeat(gateway)
    by_itself = [line for line in asked.take() if "heartbeat" in line or "app_id" in line]
    assert len(by_itself) == 1, "the heartbeat, opened once, and nothing more"
    for path in ("/gradio_api/heartbeat/abc", "/gradio_api/app_id"):
        assert (await gateway.client().get(path)).status_code == 503
    assert (await gateway.status("notes"))["phase"] == "asleep"
    assert asked.take() == [], "the idle tab asks for nothing"
    assert starts(gateway) == before + 1

    # A click in that same old tab: it is held until the app is there, and needs no reload.
    await page.locator("#note textarea").fill("tuesday")
    await page.locator("#keep").click()
    everything = "yesterday\nmonday\ntuesday\n"
    await expect(page.locator("#notes textarea")).to_have_value(everything, timeout=WAKE * 1000)
    assert await page.evaluate("window.sameTab") is True
    assert starts(gateway) == before + 2
    # What the app had in memory is gone, which a session of Gradio survives: it begins anew.
    await expect(page.locator("#count textarea")).to_have_value("1 kept in this session")
    assert (gateway.folder / "notes.txt").read_text() == everything


async def test_a_tab_whose_answer_broke_off(gateway: Up, page: Page) -> None:
    """The app dies in the middle of an answer: it comes back at once, and the tab loads itself anew."""
    await page.goto(gateway.url)
    await expect(page.locator("#ask textarea")).to_be_visible(timeout=WAKE * 1000)
    await page.evaluate("window.sameTab = true")
    asked, before = Asked(page, gateway.url), starts(gateway)
    await page.locator("#ask textarea").fill("slow 2")
    await page.locator("#ask textarea").press("Enter")
    await expect(page.get_by_test_id("bot").last).to_contain_text("word0")
    for process in gateway.children("notes"):
        process.kill()
    await expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
    await page.wait_for_function("() => window.sameTab !== true", timeout=WAKE * 1000)
    await expect(page.locator("#notes textarea")).not_to_have_value("", timeout=WAKE * 1000)
    assert "GET /gradio_api/app_id" in asked.take()
    assert starts(gateway) == before + 1
    crash = gateway.events("notes", "crashed")[-1]
    assert "SIGKILL" in crash["reason"]
