from __future__ import annotations

import asyncio

import pytest
from tests.docker_engine import IMAGE
from tests.providers.conformance import ProviderConformance
from tests.providers.conformance.waiting import becomes, begin, sighted, until
from tests.providers.docker_place import DockerPlace

from poorwill.core.model import Condition
from poorwill.errors import Permanent
from poorwill.providers.base import Sighting


class TestConformance(ProviderConformance):
    @pytest.fixture
    def place(self, docker_place: DockerPlace) -> DockerPlace:
        docker_place.create("a")
        docker_place.create("b")
        docker_place.create("c")
        return docker_place


class _OtherWays:
    """What depends on how a container is put to sleep."""

    test_starts_and_stops = ProviderConformance.test_starts_and_stops
    test_each_life_has_its_name = ProviderConformance.test_each_life_has_its_name
    test_stopping_what_is_absent_is_fine = ProviderConformance.test_stopping_what_is_absent_is_fine
    test_a_stop_that_hangs = ProviderConformance.test_a_stop_that_hangs_can_be_given_up
    test_a_stop_that_fails = ProviderConformance.test_a_stop_that_fails_leaves_it_there
    test_a_stop_by_somebody_else = ProviderConformance.test_a_stop_by_somebody_else_is_told_and_noted
    test_restarted_while_it_stops = ProviderConformance.test_restarted_while_it_stops


class TestPause(_OtherWays):
    @pytest.fixture
    def place(self, docker_place: DockerPlace) -> DockerPlace:
        docker_place.options = {**docker_place.options, "stop": "pause"}
        docker_place.create("a")
        return docker_place

    async def test_what_is_in_memory_is_kept(self, place: DockerPlace) -> None:
        provider = place.provider()
        before = await begin(provider, "a")
        pid = place.engine.inspect(place.container(before))["State"]["Pid"]
        await provider.stop("a")
        assert "its memory is kept" in (await becomes(provider, "a", Condition.ABSENT)).detail
        assert place.engine.status(place.container(before)) == "paused"
        after = await begin(provider, "a")
        assert place.engine.inspect(place.container(after))["State"]["Pid"] == pid
        assert place.notes == []


class TestKill(_OtherWays):
    @pytest.fixture
    def place(self, docker_place: DockerPlace) -> DockerPlace:
        docker_place.options = {**docker_place.options, "stop": "kill"}
        docker_place.create("a")
        return docker_place


class TestStopTimeout:
    async def test_who_does_not_listen_is_killed_in_time(self, docker_place: DockerPlace) -> None:
        docker_place.create("a", command="echo hello; exec sleep 1000")  # PID 1 ignores SIGTERM
        provider = docker_place.provider(stop_timeout="1s")
        await begin(provider, "a")
        begun = asyncio.get_running_loop().time()
        await provider.stop("a")
        assert 0.9 < asyncio.get_running_loop().time() - begun < 9
        seen = await becomes(provider, "a", Condition.ABSENT)
        assert (seen.exit_code, seen.detail) == (137, "stopped: exit code 137: killed (signal 9)")


class TestFinding:
    async def test_by_label(self, docker_place: DockerPlace) -> None:
        docker_place.create("x", "--label", f"role={docker_place.name}")
        provider = docker_place.provider(label=f"role={docker_place.name}")
        assert (await begin(provider, "s-1")).life
        await provider.stop("s-1")
        await becomes(provider, "s-1", Condition.ABSENT)

    async def test_a_label_that_several_carry(self, docker_place: DockerPlace) -> None:
        for name in ("x", "y"):
            docker_place.create(name, "--label", f"role={docker_place.name}")
        provider = docker_place.provider(label=f"role={docker_place.name}")
        with pytest.raises(Permanent, match="2 containers carry the label"):
            await provider.list()

    async def test_one_that_is_missing(self, docker_place: DockerPlace) -> None:
        name = docker_place.create("chat")
        provider = docker_place.provider(container=name[:-1])
        (seen,) = await provider.list()
        assert (seen.condition, seen.detail) == (Condition.ABSENT, f"there is no container {name[:-1]}")
        with pytest.raises(Permanent, match="there is no container") as raised:
            await provider.start("s-1", {})
        assert raised.value.hint == f"did you mean {name}?"

    async def test_the_beginning_of_an_id_is_no_name(self, docker_place: DockerPlace) -> None:
        name = docker_place.create("a")
        short = docker_place.engine.inspect(name)["Id"][:12]
        (seen,) = await docker_place.provider(container=short).list()
        assert seen.detail == f"there is no container {short}"

    async def test_one_container_is_not_two_instances(self, docker_place: DockerPlace) -> None:
        role = f"role={docker_place.name}"
        docker_place.create("a", "--label", role)
        provider = docker_place.provider(label=role)
        await begin(provider, "s-1")
        with pytest.raises(Permanent, match="cannot be s-2 and s-1 at once"):
            await provider.start("s-2", {})
        await provider.stop("s-2")
        assert (await sighted(provider, "s-1")).condition is Condition.RUNNING  # type: ignore[union-attr]


class TestRecreated:
    async def test_a_new_container_of_the_name_is_the_same_instance(self, docker_place: DockerPlace) -> None:
        docker_place.create("a", "--publish", "127.0.0.1::8000")
        provider = docker_place.provider()
        first = await begin(provider, "a")
        name = docker_place.engine.inspect(docker_place.container(first))["Name"].removeprefix("/")
        docker_place.engine.run("rm", "-f", name)
        assert await sighted(provider, "a") is None
        docker_place.create("a", "--publish", "127.0.0.1::8000")
        second = await begin(provider, "a")
        assert second.life != first.life
        assert second.address == published(docker_place, second)
        await until(lambda: docker_place.heard("removed the container"), "a note")

    async def test_the_address_is_the_published_port(self, docker_place: DockerPlace) -> None:
        docker_place.create("a", "--publish", "127.0.0.1::8000")
        docker_place.create("b")
        provider = docker_place.provider()
        first = await begin(provider, "a")
        assert first.address == published(docker_place, first)
        second = await begin(provider, "b")
        ip = docker_place.engine.inspect(docker_place.container(second))["NetworkSettings"]["IPAddress"]
        assert second.address == f"{ip}:8000"

    async def test_a_container_without_a_port_is_refused_before_it_starts(
        self, docker_place: DockerPlace
    ) -> None:
        name = docker_place.create("a")
        provider = docker_place.provider(port=None)
        with pytest.raises(Permanent, match="publishes no port"):
            await provider.start("a", {})
        assert docker_place.engine.status(name) == "created"


class TestEndings:
    async def test_one_that_dies_after_a_moment(self, docker_place: DockerPlace) -> None:
        script = "echo loading; sleep 0.3; echo 'no such model' >&2; exit 3"
        docker_place.create("a", command=script)
        provider = docker_place.provider()
        await begin(provider, "a")
        seen = await becomes(provider, "a", Condition.ABSENT)
        assert seen.exit_code == 3
        assert seen.detail == "exit code 3; it printed: loading / no such model"
        await until(lambda: docker_place.heard("ended by itself: exit code 3"), "a note")

    async def test_out_of_memory(self, docker_place: DockerPlace) -> None:
        eat = "x=a; while :; do x=$x$x; done"
        docker_place.create("a", "--memory", "8m", "--memory-swap", "8m", command=eat)
        provider = docker_place.provider()
        await provider.list()
        await provider.start("a", {})
        seen = await becomes(provider, "a", Condition.ABSENT)
        assert "out of memory: the kernel ended it (exit code 137)" in seen.detail
        await until(lambda: docker_place.heard("ran out of memory"), "a note")

    async def test_a_job_that_is_done(self, docker_place: DockerPlace) -> None:
        docker_place.create("a", command="echo done")
        provider = docker_place.provider()
        await provider.start("a", {})
        seen = await becomes(provider, "a", Condition.ABSENT)
        assert (seen.exit_code, seen.detail) == (0, "exit code 0")

    async def test_a_command_that_is_not_in_the_image(self, docker_place: DockerPlace) -> None:
        name = f"{docker_place.name}-a"
        docker_place.engine.run("create", "--name", name, IMAGE, "nosuch")
        with pytest.raises(Permanent, match="nosuch"):
            await docker_place.provider().start("a", {})


def published(place: DockerPlace, seen: Sighting) -> str:
    ports = place.engine.inspect(place.container(seen))["NetworkSettings"]["Ports"]
    return f"127.0.0.1:{ports['8000/tcp'][0]['HostPort']}"
