"""How it is known whether a service with scripts runs: its status script, its port, what is remembered."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Mapping

import pytest
from tests.patience import PATIENCE
from tests.providers.conformance import becomes, begin, end, sighted
from tests.providers.script_place import ScriptPlace

from poorwill.core.model import Condition
from poorwill.errors import Temporary
from poorwill.providers.base import Ran
from poorwill.providers.command import CommandProvider, Options
from poorwill.providers.shell.lives import Phase
from poorwill.providers.shell.verdict import of_status


class TestStatus:
    @pytest.mark.parametrize(
        ("code", "output", "codes", "condition"),
        [
            (0, "", {}, Condition.RUNNING),
            (0, "it is up\nStopped \n", {}, Condition.ABSENT),
            (0, "starting", {}, Condition.STARTING),
            (0, "stopping", {}, Condition.STOPPING),
            (0, "running since 3", {}, Condition.RUNNING),
            (1, "", {}, Condition.ABSENT),
            (3, "running", {}, Condition.ABSENT),
            (2, "", {2: "stopped"}, Condition.ABSENT),
            (0, "", {0: "starting"}, Condition.STARTING),
        ],
    )
    def test_what_it_says(
        self, code: int, output: str, codes: Mapping[int, str], condition: Condition
    ) -> None:
        assert of_status(Ran(code, output), 10, codes).condition is condition

    @pytest.mark.parametrize(
        ("ran", "codes"),
        [
            (Ran(2), {}),
            (Ran(4, "no idea"), {}),
            (Ran(127), {}),
            (Ran(None), {}),
            (Ran(0, "unknown"), {}),
            (Ran(1), {1: "unknown"}),
        ],
    )
    def test_what_it_does_not_know(self, ran: Ran, codes: Mapping[int, str]) -> None:
        with pytest.raises(Temporary) as error:
            of_status(ran, 10, codes)
        assert "no idea" in str(error.value) or not ran.output or ran.code == 0

    async def test_one_that_hangs_is_an_error_soon(self, place: ScriptPlace) -> None:
        place.script("status", "#!/bin/sh\nsleep 600\n")
        provider = place.provider(status_timeout="300ms")
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(Temporary, match=r"did not end within 0\.3 s"):
                await provider.list()

    async def test_a_first_start_by_hand_is_seen(self, place: ScriptPlace) -> None:
        provider = place.provider()
        await provider.adopt({})
        await place.by_hand("start", "s-1")
        assert (await becomes(provider, "s-1", Condition.RUNNING)).life
        assert place.notes == ["s-1 runs, and it was not Poorwill that started it"]

    async def test_it_is_not_asked_all_the_time(
        self, place: ScriptPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from poorwill.providers.shell import asking

        monkeypatch.setattr(asking, "SHARE", 1000.0)
        place.script("status", "#!/bin/sh\necho x >> asked\nexit 3\n")
        provider = place.provider()
        await asyncio.gather(*(provider.list() for _ in range(5)))
        await provider.list()
        assert (place.folder / "asked").read_text().split() == ["x"]


class TestWithoutStatus:
    @pytest.fixture
    def port(self) -> int:
        from tests.ports import free_port

        return free_port()

    def provider(self, place: ScriptPlace, port: int) -> CommandProvider:
        serve = (
            "import socket, time; s = socket.socket();"
            "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1);"
            f"time.sleep(0.5); s.bind(('127.0.0.1', {port})); s.listen(); time.sleep(1000)"
        )
        place.script("start", f'#!/bin/sh\npython3 -c "{serve}" & echo $! > "$POORWILL_INSTANCE_ID.pid"\n')
        options = Options(start="./start.sh", stop="./stop.sh", env={"PATH": os.environ["PATH"]})
        provider = CommandProvider(options, place.around(("127.0.0.1", port)))
        place.providers.append(provider)
        return provider

    async def test_the_port_decides(self, place: ScriptPlace, port: int) -> None:
        provider = self.provider(place, port)
        await provider.start("a", {})
        seen = await sighted(provider, "a")
        assert seen is not None
        assert seen.condition is Condition.STARTING
        assert (await becomes(provider, "a", Condition.RUNNING)).life == seen.life
        os.kill(place.pid("a"), signal.SIGKILL)
        gone = await becomes(provider, "a", Condition.ABSENT)
        assert "nothing listens" in gone.detail

    async def test_a_start_is_not_repeated_while_it_comes_up(self, place: ScriptPlace, port: int) -> None:
        provider = self.provider(place, port)
        first = await provider.start("a", {})
        restarted = self.provider(place, port)
        assert await restarted.start("a", {}) == first
        await end(restarted, "a")

    async def test_one_that_does_not_answer_is_unknown(
        self, place: ScriptPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from poorwill.providers.shell import verdict

        monkeypatch.setattr(verdict, "CONNECT_TIMEOUT", 0.3)
        with socket.socket() as full:  # its queue is full, so nothing is answered any more
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            others = [socket.socket() for _ in range(4)]
            for other in others:
                other.setblocking(False)
                other.connect_ex(full.getsockname())
            provider = self.provider(place, full.getsockname()[1])
            with pytest.raises(Temporary, match="neither accepts nor refuses"):
                await provider.list()
            for other in others:
                other.close()


class TestFiles:
    async def test_a_reboot_ends_every_life(self, place: ScriptPlace) -> None:
        provider = place.provider()
        first = await begin(provider, "a")
        file = place.state / "a.life"
        file.write_text(file.read_text().replace('"boot": "', '"boot": "earlier-'))
        seen = await becomes(provider, "a", Condition.RUNNING)
        assert seen.life != first.life

    async def test_a_damaged_file_is_no_life(self, place: ScriptPlace) -> None:
        provider = place.provider()
        await begin(provider, "a")
        (place.state / "a.life").write_text("{")
        assert (await becomes(provider, "a", Condition.RUNNING)).life
        assert provider._lives.get("a") is not None
        assert provider._lives.get("a").phase is Phase.RUNNING  # type: ignore[union-attr]
