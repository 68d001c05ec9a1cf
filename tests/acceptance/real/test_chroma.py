"""A real Chroma server, used through its own client: nothing about it knows that it sleeps."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

if TYPE_CHECKING:
    from conftest import Gateway

pytestmark = pytest.mark.slow

IDLE_AFTER = 3.0
TEXTS = {
    "kolibri": "Hummingbirds go into torpor at night.",
    "无": "夜鹰冬眠。\tTabs,\nlines, a NUL \u0000 and é ö 𓅓",
    "long": "dormant " * 5000,
}
VECTORS = {"kolibri": [0.1, 0.2, 0.3], "无": [1.5, -0.25, 0.0], "long": [0.0, 0.0, -7.0]}


def config(data: Path) -> dict[str, Any]:
    chroma = str(Path(sys.executable).with_name("chroma"))
    command = [chroma, "run", "--path", str(data), "--host", "127.0.0.1", "--port", "{port}"]
    return {
        "run": {"process": {"command": command, "env": {"ANONYMIZED_TELEMETRY": "False"}}},
        "ready": {"path": "/api/v2/heartbeat", "status": 200},
        "idle_after": f"{IDLE_AFTER:g}s",
    }


def running_below(folder: Path) -> set[int]:
    """Processes that name the folder in their command line."""
    found = set()
    for process in psutil.process_iter():
        try:
            if any(str(folder) in word for word in process.cmdline()):
                found.add(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_documents_outlive_the_sleep(
    up: Callable[[str, dict[str, Any]], Gateway], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANONYMIZED_TELEMETRY", "False")
    import chromadb

    data = tmp_path / "chroma-data"
    gateway = up("chroma", config(data))
    assert gateway.until_asleep(5)["desired"] == 0
    assert not data.exists()
    assert running_below(data) == set()

    # The first call of all: its constructor asks for the identity, the tenant and the database.
    client = chromadb.HttpClient(host="127.0.0.1", port=gateway.port)
    birds = client.create_collection("birds", embedding_function=None)
    birds.add(ids=list(TEXTS), documents=list(TEXTS.values()), embeddings=list(VECTORS.values()))
    asked = gateway.why()["checks"]
    assert birds.query(query_embeddings=[[0.1, 0.2, 0.31]], n_results=1)["ids"] == [["kolibri"]]
    assert gateway.why()["checks"] == asked, "an awake service is asked for without the control plane"
    first_life = running_below(data)
    assert first_life

    gateway.until_asleep(IDLE_AFTER + 15)
    assert running_below(data) == set(), "asleep, but something of it still runs"

    # The same old client and collection, over connections it kept open all the while.
    assert birds.query(query_embeddings=[[1.4, -0.2, 0.0]], n_results=1)["ids"] == [["无"]]
    second_life = running_below(data)
    assert second_life
    assert not second_life & first_life
    kept = birds.get(include=["documents", "embeddings"])
    assert dict(zip(kept["ids"], kept["documents"], strict=True)) == TEXTS
    for name, vector in zip(kept["ids"], kept["embeddings"], strict=True):
        assert list(vector) == pytest.approx(VECTORS[name])

    reached = [event["detail"]["phase"] for event in gateway.events() if event["kind"] == "phase"]
    night = ["asleep", "waking", "awake", "draining", "stopping"]
    assert "".join(reached).count("".join([*night, "asleep", "waking", "awake"])) == 1, reached
    assert "failed" not in reached
