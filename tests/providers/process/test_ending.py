from __future__ import annotations

import os
import re
import signal

import pytest
from tests.providers.conformance import (
    becomes,
    begin,
    sighted,
    until,
)
from tests.providers.process_place import ProcessPlace

from poorwill.core.model import Condition
from poorwill.errors import Permanent, Temporary
from poorwill.providers.process import sweep


class TestEnding:
    @pytest.mark.parametrize(
        ("command", "detail"),
        [
            ("exit 3", "exit code 3"),
            ("exit 0", "exit code 0"),
            ("exit 255", "exit code 255"),
            ("kill -9 $$", r"killed by signal 9 \(SIGKILL\)"),
            ("kill -TERM $$", r"killed by signal 15 \(SIGTERM\)"),
            ("exec ./no-interpreter", "exit code 12[67]: the command"),
        ],
    )
    async def test_an_end_is_noticed_at_once_with_its_reason(
        self, place: ProcessPlace, command: str, detail: str
    ) -> None:
        script = place.folder / "no-interpreter"
        script.write_text("#!/no/such/interpreter\n")
        script.chmod(0o755)
        provider = place.provider(command=["sh", "-c", command])
        await provider.start("a", {})
        # not by asking: the provider tells
        await until(lambda: place.changes > 0, "changed was called")
        end = await sighted(provider, "a")
        assert end is not None
        assert end.condition is Condition.ABSENT
        assert re.fullmatch(detail + ".*", end.detail)
        assert end.life

    async def test_what_a_crash_leaves_behind_is_ended(self, place: ProcessPlace) -> None:
        provider = place.provider(command=["sh", "-c", "sleep 1000 & setsid sleep 1000 & exit 0"])
        await provider.start("a", {})
        end = await becomes(provider, "a", Condition.ABSENT)
        assert "it left behind" in end.detail
        assert "foreground" in end.detail
        assert place.pids() == set()

    async def test_a_killed_wrapper_takes_all_with_it(self, place: ProcessPlace) -> None:
        provider = place.provider()
        sighting = await begin(provider, "a")
        assert sighting.handle is not None
        os.kill(sighting.handle.data["pid"], signal.SIGKILL)
        end = await becomes(provider, "a", Condition.ABSENT)
        assert "killed by signal 9" in end.detail
        assert place.pids() == set()


class TestTrouble:
    async def test_what_cannot_be_killed_is_not_called_gone(
        self, place: ProcessPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        provider = place.provider(command=["sh", "-c", "sleep 1000 & exit 3"])
        with monkeypatch.context() as kernel_hangs:
            kernel_hangs.setattr(sweep, "KILL_PATIENCE", 0.1)
            kernel_hangs.setattr(sweep, "send", lambda *_: None)
            await provider.start("a", {})
            await until(lambda: place.changes > 0, "the end was noticed")
            sighting = await sighted(provider, "a")
            assert sighting is not None
            assert sighting.condition is Condition.STOPPING
            assert "still there after SIGKILL" in sighting.detail
        assert (await becomes(provider, "a", Condition.ABSENT)).detail.startswith("exit code 3")
        assert place.pids() == set()

    async def test_a_stop_that_did_not_work_says_so(
        self, place: ProcessPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        provider = place.provider(stop_timeout="0s")
        await begin(provider, "a")
        with monkeypatch.context() as kernel_hangs:
            kernel_hangs.setattr(sweep, "KILL_PATIENCE", -0.9)
            kernel_hangs.setattr(sweep, "signal_group", lambda *_: None)
            with pytest.raises(Temporary, match="still there after SIGKILL"):
                await provider.stop("a")
        assert (await becomes(provider, "a", Condition.STOPPING)).handle is not None
        await provider.stop("a")
        await becomes(provider, "a", Condition.ABSENT)

    async def test_a_folder_that_cannot_be_made(self, place: ProcessPlace) -> None:
        (place.folder / "state").write_text("a file")
        with pytest.raises(Permanent, match="cannot be created"):
            await place.provider().start("a", {})
