"""Compose projects: order, what they wait for, what is wrong with them, and creating them."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
from tests.patience import PATIENCE
from tests.providers.conformance.waiting import becomes, begin, until
from tests.providers.docker_place import HELLO, ComposePlace

from poorwill.core.model import Condition
from poorwill.errors import Permanent, Temporary
from poorwill.providers.docker import provider as provider_module

THREE = f"""
services:
  web:
    image: IMAGE
    command: [sh, -c, "{HELLO}"]
    network_mode: host
    depends_on:
      db: {{condition: service_healthy}}
      migrate: {{condition: service_completed_successfully}}
  migrate:
    image: IMAGE
    command: [sh, -c, "exit ${{CODE:-0}}"]
    network_mode: host
    depends_on: [db]
  db:
    image: IMAGE
    command: [sh, -c, "sleep 0.3; touch /tmp/ok; {HELLO}"]
    network_mode: host
    healthcheck: {{test: [CMD, test, -e, /tmp/ok], interval: 100ms, retries: 50}}
"""


def history(place: ComposePlace, *kinds: str) -> list[str]:
    """``start db`` and the like, in the order in which it happened."""
    words = ["events", "--since", "10m", "--until", f"{time.time():.6f}"]
    words += ["--filter", f"label=com.docker.compose.project={place.name}-a"]
    for kind in kinds:
        words += ["--filter", f"event={kind}"]
    form = '{{.Action}} {{index .Actor.Attributes "com.docker.compose.service"}}'
    return place.engine.run(*words, "--format", form).splitlines()


def states(place: ComposePlace) -> dict[str, str]:
    names = ("web", "db", "migrate")
    return {name: place.engine.status(f"{place.name}-a-{name}-1") for name in names}


class TestOrder:
    async def test_up_and_down_in_turn(self, compose_place: ComposePlace) -> None:
        compose_place.write(THREE)
        provider = compose_place.provider()
        await begin(provider, "a")
        first, *between, last = history(compose_place, "start", "health_status")
        assert (first, last) == ("start db", "start web")
        assert sorted(between) == ["health_status: healthy db", "start migrate"]
        await provider.stop("a")
        await becomes(provider, "a", Condition.ABSENT)
        assert history(compose_place, "stop") == ["stop web", "stop db"]
        assert states(compose_place) == {"web": "exited", "db": "exited", "migrate": "exited"}
        assert [note for note in compose_place.notes if "somebody" in note] == []

    async def test_what_is_to_stay_up_stays_up(self, compose_place: ComposePlace) -> None:
        compose_place.write(THREE)
        provider = compose_place.provider(keep=["db"])
        await begin(provider, "a")
        await provider.stop("a")
        await becomes(provider, "a", Condition.ABSENT)
        assert states(compose_place) == {"web": "exited", "db": "running", "migrate": "exited"}
        await begin(provider, "a")

    async def test_a_project_that_the_user_made_needs_no_file(self, compose_place: ComposePlace) -> None:
        file = compose_place.write(THREE)
        compose_place.compose("up", "--no-start")
        file.unlink()
        provider = compose_place.provider(project=f"{compose_place.name}-a")
        await begin(provider, "s-1")
        assert states(compose_place)["web"] == "running"


class TestWaiting:
    async def test_one_that_must_be_done_and_fails(
        self, compose_place: ComposePlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CODE", "5")
        compose_place.write(THREE)
        provider = compose_place.provider()
        with pytest.raises(Temporary, match="migrate ended: exit code 5"):
            await provider.start("a", {})
        await until(lambda: states(compose_place)["db"] == "exited", "what was started is put down again")
        assert states(compose_place)["web"] == "created"

    async def test_one_that_must_be_healthy_and_is_not(self, compose_place: ComposePlace) -> None:
        broken = THREE.replace("test, -e, /tmp/ok]", "sh, -c, echo no disk; exit 1]").replace("50}", "1}")
        compose_place.write(broken)
        with pytest.raises(Temporary, match="db-1 is unhealthy: no disk"):
            await compose_place.provider().start("a", {})

    async def test_one_that_must_be_healthy_and_has_no_check(self, compose_place: ComposePlace) -> None:
        lines = [line for line in THREE.splitlines() if "healthcheck" not in line]
        compose_place.write("\n".join(lines))
        with pytest.raises(Permanent, match="has no health check"):
            await compose_place.provider().start("a", {})

    async def test_the_rest_does_not_stay_up_for_nobody(
        self, compose_place: ComposePlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(provider_module, "LINGER", 0.2)
        compose_place.write(THREE)
        provider = compose_place.provider()
        await compose_place.crash(await begin(provider, "a"))
        seen = await becomes(provider, "a", Condition.ABSENT)
        assert seen.exit_code == 137

        async def put_down() -> None:
            while states(compose_place)["db"] != "exited":
                await provider.list()
                await asyncio.sleep(0.05)

        await asyncio.wait_for(put_down(), PATIENCE)
        assert compose_place.heard("web has ended: the rest of its project is put to sleep, too")


class TestBadInput:
    @pytest.mark.parametrize(
        ("text", "options", "message", "hint"),
        [
            ("services: [", {}, "docker compose cannot use docker-compose.yml: .*yaml: line 1", "by hand"),
            (
                "services: {web: {imagee: x}}",
                {},
                "docker compose cannot use docker-compose.yml: .*imagee",
                "config",
            ),
            (THREE, {"service": "wbe"}, "there is no service wbe in docker-compose.yml", "did you mean web?"),
            (THREE, {"keep": ["cache"]}, "there is no service cache", "there are: db, migrate, web"),
            (
                "services: {web: {image: 'nosuch.invalid/x:1', pull_policy: never}}",
                {},
                "docker compose cannot create .*nosuch.invalid/x:1",
                "up --no-start",
            ),
        ],
        ids=["syntax", "key", "service", "keep", "image"],
    )
    async def test_what_is_wrong_is_said(
        self, compose_place: ComposePlace, text: str, options: dict[str, object], message: str, hint: str
    ) -> None:
        compose_place.write(text)
        with pytest.raises(Permanent, match=message) as raised:
            await compose_place.provider(**options).start("a", {})
        assert hint in raised.value.hint

    async def test_a_file_that_is_missing(self, compose_place: ComposePlace) -> None:
        provider = compose_place.provider(project=None, file="compose.yml")
        with pytest.raises(Permanent, match="there is no Compose file") as raised:
            await provider.list()
        assert raised.value.hint == "did you mean docker-compose.yml?"

    async def test_no_docker_compose(
        self, compose_place: ComposePlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setenv("PATH", str(compose_place.folder))
            with pytest.raises(Permanent, match="docker compose is not installed on this host") as raised:
                await compose_place.provider().start("a", {})
        assert "docker compose up --no-start" in raised.value.hint


SLOW_DOCKER = """#!/bin/sh
case "$*" in *'up --no-start')
    echo 'Pulling 3.1GB/40GB'
    while [ ! -e {folder}/go ]; do sleep 0.05; done;;
esac
PATH={path}
exec docker "$@"
"""


class TestCreating:
    async def test_it_goes_on_when_the_start_is_given_up(
        self, compose_place: ComposePlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A pull may take longer than a start may."""
        folder, path = compose_place.folder, os.environ["PATH"]
        command = folder / "docker"
        command.write_text(SLOW_DOCKER.format(folder=folder, path=path))
        command.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{path}")
        provider = compose_place.provider()
        starting = asyncio.create_task(provider.start("a", {}))
        seen = await becomes(provider, "a", Condition.STARTING)
        async with asyncio.timeout(PATIENCE):
            while "Pulling 3.1GB" not in seen.detail:
                seen = await becomes(provider, "a", Condition.STARTING)
        starting.cancel()
        await asyncio.wait([starting])
        assert starting.cancelled()
        assert compose_place.heard("still creating", "Pulling 3.1GB/40GB")
        (folder / "go").touch()
        await begin(provider, "a")
        assert len([note for note in compose_place.notes if note.startswith("creates")]) == 1
