"""Several instances in one Compose project, on a real engine."""

from __future__ import annotations

import asyncio

import pytest
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.providers.conformance.several import Several
from tests.providers.conformance.waiting import becomes, begin, sighted, until
from tests.providers.docker_place import ScaledPlace

from poorwill.core.model import Condition
from poorwill.errors import Permanent
from poorwill.providers.docker import provider as provider_module


@pytest.mark.slow
class TestSeveral(Several):
    @pytest.fixture
    def place(self, scaled_place: ScaledPlace) -> ScaledPlace:
        return scaled_place


class TestWhatTheyShare:
    async def test_it_comes_with_the_first_and_goes_with_the_last(self, scaled_place: ScaledPlace) -> None:
        provider = scaled_place.provider()
        await begin(provider, "s-1")
        shared = scaled_place.engine.inspect(f"{scaled_place.name}-db-1")["State"]["StartedAt"]
        await begin(provider, "s-2")
        await provider.stop("s-1")
        await becomes(provider, "s-1", Condition.ABSENT)
        assert scaled_place.status() == "running"
        scaled_place.engine.run("stop", f"{scaled_place.name}-web-2")
        seen = await becomes(provider, "s-2", Condition.ABSENT)
        assert "somebody else stopped it" in seen.detail
        await until(lambda: scaled_place.heard("somebody else", f"{scaled_place.name}-web-2"), "it is noted")
        assert not scaled_place.heard("somebody else", f"{scaled_place.name}-web-1")
        assert "somebody" not in (await becomes(provider, "s-1", Condition.ABSENT)).detail
        assert scaled_place.engine.inspect(f"{scaled_place.name}-db-1")["State"]["StartedAt"] == shared
        await begin(provider, "s-1")
        await asyncio.gather(provider.stop("s-1"), provider.stop("s-2"))
        assert scaled_place.status() == "exited"

    async def test_it_does_not_stay_up_for_nobody(
        self, scaled_place: ScaledPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(provider_module, "LINGER", 0.2)
        provider = scaled_place.provider()
        for instance in ("s-1", "s-2"):
            await begin(provider, instance)
        for number in (1, 2):
            scaled_place.engine.run("stop", f"{scaled_place.name}-web-{number}")

        async def put_down() -> None:
            while scaled_place.status() != "exited":
                await provider.list()
                await asyncio.sleep(0.05)

        await asyncio.wait_for(put_down(), PATIENCE)
        assert len([note for note in scaled_place.notes if "web has ended" in note]) == 1


class TestTheirContainers:
    async def test_one_that_was_removed_is_made_anew(self, scaled_place: ScaledPlace) -> None:
        """Compose never uses its number again. What runs is left alone, though the file was changed."""
        provider = scaled_place.provider()
        lives = {name: (await begin(provider, name)).life for name in scaled_place.instances}
        scaled_place.engine.run("rm", "-f", f"{scaled_place.name}-web-2")
        image = "    image: IMAGE\n"
        scaled_place.write(scaled_place.FILE.replace(image, f"{image}    environment: {{CHANGED: '1'}}\n"))
        seen = await begin(provider, "s-2")
        assert seen.life != lives["s-2"]
        assert scaled_place.status("web", 4) == "running"
        for name in ("s-1", "s-3"):
            still = await sighted(provider, name)
            assert still is not None
            assert still.life == lives[name]

    async def test_a_fixed_port_is_said_at_once_and_refused_for_the_second(
        self, scaled_place: ScaledPlace
    ) -> None:
        port = free_port()
        scaled_place.write(scaled_place.FILE.replace("127.0.0.1::8000", f"127.0.0.1:{port}:8000"))
        provider = scaled_place.provider()
        await begin(provider, "s-1")
        assert scaled_place.heard("one instance only", f"port {port}", "127.0.0.1::8000")
        with pytest.raises(Permanent, match=f"publishes port {port}, and only one instance can have it"):
            await provider.start("s-2", {})
        assert scaled_place.status("web", 1) == "running"
