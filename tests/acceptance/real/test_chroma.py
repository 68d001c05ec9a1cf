"""A real Chroma server, used through its own client: neither knows that there are nights."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up

pytestmark = pytest.mark.slow

IDLE_AFTER = 2.0
TEXTS = {
    "kolibri": "Hummingbirds go into torpor at night.",
    "无": "夜鹰冬眠。\tTabs,\nlines, a NUL \u0000 and é ö 𓅓",
    "long": "dormant " * 5000,
}
VECTORS = {"kolibri": [0.1, 0.2, 0.3], "无": [1.5, -0.25, 0.0], "long": [0.0, 0.0, -7.0]}


def services(folder: Path) -> dict[str, Json]:
    chroma = str(Path(sys.executable).with_name("chroma"))
    command = [chroma, "run", "--path", str(folder / "data"), "--host", "127.0.0.1", "--port", "{port}"]
    return {
        "chroma": {
            "run": {"process": {"command": command, "env": {"ANONYMIZED_TELEMETRY": "False"}}},
            "ready": {"path": "/api/v2/heartbeat", "status": 200},
            "idle_after": f"{IDLE_AFTER:g}s",
        }
    }


def collection(port: int, create: bool) -> Any:
    """As a program that has just started does it. The embeddings are given: no model is needed."""
    import chromadb

    client = chromadb.HttpClient(host="127.0.0.1", port=port)
    if create:
        return client.create_collection("birds", embedding_function=None)
    return client.get_collection("birds", embedding_function=None)


def fill(birds: Any) -> None:
    birds.add(ids=list(TEXTS), documents=list(TEXTS.values()), embeddings=list(VECTORS.values()))


def nearest(birds: Any, vector: list[float]) -> str:
    found: str = birds.query(query_embeddings=[vector], n_results=1)["ids"][0][0]
    return found


def check_all_is_there(birds: Any) -> None:
    kept = birds.get(include=["documents", "embeddings"])
    assert dict(zip(kept["ids"], kept["documents"], strict=True)) == TEXTS
    for name, vector in zip(kept["ids"], kept["embeddings"], strict=True):
        assert list(vector) == pytest.approx(VECTORS[name])


async def asleep(gateway: Up) -> None:
    row = await gateway.until_phase("chroma", "asleep")
    assert row["desired"] == 0
    assert gateway.children("chroma") == []


async def test_documents_outlive_the_night(up: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANONYMIZED_TELEMETRY", "False")
    gateway = await up(services)
    await asleep(gateway)
    assert not (gateway.folder / "data").exists()

    # The client's constructor already asks, for its identity and the database; it waits for the first start.
    birds = await asyncio.to_thread(collection, gateway.listen, create=True)
    await asyncio.to_thread(fill, birds)
    checks = (await gateway.status("chroma"))["checks"]
    assert await asyncio.to_thread(nearest, birds, [0.1, 0.2, 0.31]) == "kolibri"
    assert (await gateway.status("chroma"))["checks"] == checks, "awake: the control plane is not asked"
    first_life = {process.pid for process in gateway.children("chroma")}
    assert first_life

    await asleep(gateway)
    assert not any(psutil.pid_exists(pid) for pid in first_life)

    # The same client, over connections that it kept open all night.
    assert await asyncio.to_thread(nearest, birds, [1.4, -0.2, 0.0]) == "无"
    await asyncio.to_thread(check_all_is_there, birds)
    second_life = {process.pid for process in gateway.children("chroma")}
    assert second_life
    assert not second_life & first_life

    await asleep(gateway)
    again = await asyncio.to_thread(collection, gateway.listen, create=False)
    await asyncio.to_thread(check_all_is_there, again)
    told = [event["kind"] for event in gateway.events("chroma")]
    kinds = [kind for kind in told if kind not in ("phase", "there", "gone")]
    wake = ["woken", "start", "started", "ready"]
    assert kinds == [*wake, "stop", "stopped"] * 2 + wake
