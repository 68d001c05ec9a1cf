"""A real Gradio app, used by a program and by a person at a browser."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

if TYPE_CHECKING:
    from conftest import Gateway

pytestmark = pytest.mark.slow

APP = Path(__file__).with_name("gradio_app.py")
IDLE_AFTER = 3.0
WAKE = 60.0
TRAFFIC = {
    "background": ["/gradio_api/heartbeat/*", "/gradio_api/app_id"],
    "busy": ["/gradio_api/queue/data"],
}

def config(notes: Path) -> dict[str, Any]:
    return {
        "run": {
            "process": {
                "command": [sys.executable, str(APP), "{port}", str(notes)],
                "env": {
                    "GRADIO_ANALYTICS_ENABLED": "False",
                    "HF_HUB_OFFLINE": "1",
                    "GRADIO_HEARTBEAT_INTERVAL": "1",
                },
            }
        },
        "idle_after": f"{IDLE_AFTER:g}s",
        "traffic": TRAFFIC,
    }


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data") / "notes.txt"


@pytest.fixture(scope="module")
def gateway(up: Callable[[str, dict[str, Any]], Gateway], notes: Path) -> Gateway:
    return up("notes", config(notes))


def test_a_program_finds_it_awake(gateway: Gateway, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    from gradio_client import Client
    import time
    t0 = time.time()
    def lap(what): print(f"{time.time()-t0:.1f} {what}", file=sys.__stderr__)

    gateway.until_asleep(5)
    client = Client(gateway.url, verbose=False, analytics_enabled=False, download_files=False, httpx_kwargs={"timeout": WAKE})
    lap("connected")
    assert client.predict("before", api_name="/keep") == ("before\n", "1 kept in this session")
    lap("predicted")
    answer = list(client.submit("slow 4", api_name="/chat"))
    lap("slow")
    assert answer[-1] == "You said: word0 word1 word2 word3"
    print(gateway.why(), file=sys.__stderr__)
    gateway.until_asleep(IDLE_AFTER + 15)
    lap("asleep")
    print(client.heartbeat.is_alive(), file=sys.__stderr__)
    assert client.predict("after", api_name="/keep")[0] == "before\nafter\n"
    lap("awake")
    gateway.until_asleep(IDLE_AFTER + 15)
    print(client.heartbeat.is_alive(), file=sys.__stderr__)
    client.close()
