"""The real program with real containers: woken by a request, asleep in order, others' doings told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.commands import CLEAN
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, until
from tests.docker_engine import IMAGE, DockerEngine

from poorwill.control.observer import LOOK_EVERY

pytestmark = pytest.mark.slow

PROJECT = """
services:
  web:
    image: IMAGE
    command: [sh, -c, "httpd -p 8000 -h /www; trap 'exit 0' TERM; sleep 1000 & wait"]
    ports: ["127.0.0.1::8000"]
    restart: POLICY
    depends_on: {db: {condition: service_healthy}}
  db:
    image: IMAGE
    command: [sh, -c, "sleep 0.5; touch /tmp/ok; trap 'exit 0' TERM; sleep 1000 & wait"]
    healthcheck: {test: [CMD, test, -e, /tmp/ok], interval: 200ms, retries: 50}
"""


@pytest.fixture
async def engine(docker_engine: DockerEngine, tmp_path: Path) -> AsyncIterator[DockerEngine]:
    """The engine, as this test's only user; what the test leaves on it is removed."""
    yield docker_engine
    docker_engine.remove(docker_engine.run("ps", "-aq").split())
    docker_engine.run("network", "prune", "--force")


def project(folder: Path, engine: DockerEngine, policy: str = "unless-stopped", **settings: Any) -> Json:
    """The configuration of a service that is a Compose project of its own."""
    text = PROJECT.replace("IMAGE", IMAGE).replace("POLICY", policy)
    (folder / "docker-compose.yml").write_text(text)
    return {
        "hosts": ["kb.test"],
        "run": {"compose": {"service": "web", "project": "kb", "engine": engine.url}},
        "idle_after": "1s",
        "drain": "1s",
        "hold": "30s",
        **settings,
    }


@pytest.fixture
def configured(engine: DockerEngine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes the services of a configuration; docker compose is found by ``poorwill up``, too."""
    for name, value in engine.environment.items():
        monkeypatch.setitem(CLEAN, name, value)
    return lambda **settings: lambda folder: {"kb": project(folder, engine, **settings)}


def told(up: Up, *words: str) -> list[Json]:
    """The lines of the journal about what others did that have all of these words."""
    return [event for event in up.events("kb", "noted") if all(word in event["reason"] for word in words)]


def names(engine: DockerEngine, status: str = "running") -> list[str]:
    return sorted(engine.run("ps", "--format", "{{.Names}}", "--filter", f"status={status}").split())


async def ask(up: Up) -> str:
    answer = await up.client().get("/index.html", headers=host("kb"))
    assert answer.status_code == 200
    return str(answer.text)


class TestAComposeProject:
    async def test_wakes_by_a_request_and_sleeps_in_order(
        self, up: Start, configured: Callable[..., Any], engine: DockerEngine
    ) -> None:
        gateway = await up(configured(idle_after="4s"))
        assert names(engine) == []
        assert await ask(gateway) == "hello from busybox\n"
        assert names(engine) == ["kb-db-1", "kb-web-1"]
        await gateway.until_phase("kb", "asleep")
        assert names(engine) == []
        ended = {name: engine.inspect(name)["State"]["FinishedAt"] for name in ("kb-web-1", "kb-db-1")}
        assert ended["kb-web-1"] < ended["kb-db-1"]
        assert await ask(gateway) == "hello from busybox\n"

    async def test_an_outside_kill_is_journalled_at_once(
        self, up: Start, configured: Callable[..., Any], engine: DockerEngine
    ) -> None:
        gateway = await up(configured(idle_after="60s", policy="no"))
        await ask(gateway)
        engine.run("kill", "kb-web-1")
        words = "kb-web-1 was killed (signal 9) outside Poorwill"
        await until(lambda: told(gateway, words), "it is told", LOOK_EVERY - 0.5)
        await until(lambda: gateway.events("kb", "crashed"), "the crash is told")
        assert await ask(gateway) == "hello from busybox\n"

    async def test_a_control_plane_that_dies_in_the_middle_of_a_wake(
        self, up: Start, configured: Callable[..., Any], engine: DockerEngine
    ) -> None:
        gateway = await up(configured(idle_after="60s"))
        asking = asyncio.create_task(ask(gateway))
        await until(lambda: names(engine) == ["kb-db-1"], "the first of the two runs")
        gateway.kill9()
        await gateway.start()
        assert await asking == "hello from busybox\n"
        assert names(engine) == ["kb-db-1", "kb-web-1"]
        assert engine.inspect("kb-web-1")["RestartCount"] == 0

    async def test_a_restart_policy_that_fights_is_told(
        self, up: Start, configured: Callable[..., Any], engine: DockerEngine
    ) -> None:
        gateway = await up(configured(policy="always", adopt=True))
        await ask(gateway)
        await until(lambda: told(gateway, "restart: always of the container kb-web-1"), "it is told")
        await gateway.until_phase("kb", "asleep")
        engine.stop()
        engine.start()
        await until(lambda: told(gateway, "started the container kb-web-1"), "its start is told")
        await until(lambda: names(engine) == [], "it is put to sleep again", every=0.2)
        await gateway.until_phase("kb", "asleep")


async def test_a_single_container_whose_port_changes(up: Start, engine: DockerEngine, tmp_path: Path) -> None:
    words = ["--name", "solo", "--publish", "127.0.0.1::8000", IMAGE, "sh", "-c"]
    words.append("httpd -p 8000 -h /www; trap 'exit 0' TERM; sleep 1000 & wait")
    engine.run("create", *words)
    run = {"docker": {"container": "solo", "engine": engine.url}}
    gateway = await up({"kb": {"hosts": ["kb.test"], "run": run, "idle_after": "60s"}})
    assert await ask(gateway) == "hello from busybox\n"
    engine.run("rm", "--force", "solo")
    engine.run("create", *words)
    await until(lambda: gateway.events("kb", "crashed"), "the end is told")
    assert await ask(gateway) == "hello from busybox\n"
