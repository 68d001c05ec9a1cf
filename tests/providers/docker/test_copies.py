"""Copies of a container that a person made, on a real engine."""

from __future__ import annotations

import pytest
from tests.ports import free_port
from tests.providers.conformance.several import Several
from tests.providers.conformance.waiting import becomes, begin, sighted
from tests.providers.docker_place import CopiedPlace

from poorwill.core.model import Condition
from poorwill.errors import Permanent
from poorwill.providers.docker import DockerProvider, copies
from poorwill.providers.docker.options import ContainerOptions


class TestSeveral(Several):
    @pytest.fixture
    def place(self, copied_place: CopiedPlace) -> CopiedPlace:
        copied_place.original("-p", "127.0.0.1::8000")
        return copied_place


class TestCopies:
    async def test_it_is_like_the_first_and_has_its_own_place(self, copied_place: CopiedPlace) -> None:
        engine, name = copied_place.engine, copied_place.name
        engine.run("network", "create", f"{name}-one")
        engine.run("network", "create", f"{name}-two")
        marks = ["--label", "com.docker.compose.project=mine", "--label", "team=blue"]
        limits = ["--memory", "64m", "--env", "MODEL=small", "--network-alias", "model"]
        copied_place.original("-p", "127.0.0.1::8000", "--network", f"{name}-one", *limits, *marks)
        engine.run("network", "connect", f"{name}-two", name)
        try:
            provider = copied_place.provider()
            addresses = {(await begin(provider, instance)).address for instance in ("s-1", "s-2")}
            assert len(addresses) == 2
            first, copy = engine.inspect(name), engine.inspect(f"{name}-2")
            assert copy["HostConfig"]["Memory"] == 64 * 1024 * 1024
            assert copy["Config"]["Env"] == first["Config"]["Env"]
            assert copy["Config"]["Hostname"] != first["Config"]["Hostname"]
            assert copy["Config"]["Labels"] == {"team": "blue", copies.ORIGINAL: first["Id"]}
            assert copy["NetworkSettings"]["Networks"].keys() == {f"{name}-one", f"{name}-two"}
            assert "model" in copy["NetworkSettings"]["Networks"][f"{name}-one"]["Aliases"]
            assert len([note for note in copied_place.notes if f"makes {name}-2" in note]) == 1
        finally:
            engine.remove(copied_place.containers())
            engine.run("network", "rm", f"{name}-one", f"{name}-two")

    async def test_one_may_be_started_that_nobody_expected(self, copied_place: CopiedPlace) -> None:
        """The configuration was changed while the first one ran."""
        copied_place.original("-p", "127.0.0.1::8000")
        options = ContainerOptions.model_validate({**copied_place.options, "container": copied_place.name})
        provider = DockerProvider(options, copied_place.around(instances=1))
        copied_place.providers.append(provider)
        first = (await begin(provider, "s-1")).life
        await begin(provider, "s-3")
        up = {seen.instance: seen.life for seen in await provider.list()}
        assert up.keys() == {"s-1", "s-3"}
        assert up["s-1"] == first

    async def test_a_new_first_one_gets_new_copies(self, copied_place: CopiedPlace) -> None:
        """As after an update of its image."""
        copied_place.original("-p", "127.0.0.1::8000")
        provider = copied_place.provider()
        old = (await begin(provider, "s-2")).life
        copied_place.engine.run("rm", "-f", copied_place.name)
        copied_place.original("-p", "127.0.0.1::8000", "--env", "NEW=1")
        assert (await begin(provider, "s-2")).life == old, "what runs is left alone"
        await provider.stop("s-2")
        await becomes(provider, "s-2", Condition.ABSENT)
        assert (await begin(provider, "s-2")).life != old
        assert "NEW=1" in copied_place.engine.inspect(f"{copied_place.name}-2")["Config"]["Env"]
        assert not copied_place.heard("somebody else removed", f"{copied_place.name}-2")

    async def test_a_stranger_of_that_name_is_left_alone(self, copied_place: CopiedPlace) -> None:
        copied_place.original("-p", "127.0.0.1::8000")
        copied_place.create("2")
        copied_place.engine.run("start", f"{copied_place.name}-2")
        provider = copied_place.provider()
        assert await sighted(provider, "s-2") is None
        with pytest.raises(Permanent, match="is not a copy of") as raised:
            await provider.start("s-2", {})
        assert "{number}" in raised.value.hint
        await provider.stop("s-2")
        assert copied_place.engine.status(f"{copied_place.name}-2") == "running"

    async def test_a_fixed_port_is_for_one(self, copied_place: CopiedPlace) -> None:
        port = free_port()
        copied_place.original("-p", f"127.0.0.1:{port}:8000")
        provider = copied_place.provider()
        await begin(provider, "s-1")
        assert copied_place.heard("one instance only", f"port {port}", "-p 127.0.0.1::8000")
        with pytest.raises(Permanent, match=f"publishes port {port}, and only one instance can have it"):
            await provider.start("s-2", {})
