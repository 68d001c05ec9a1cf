from __future__ import annotations

import os
import signal

import pytest
from tests.providers.conformance import becomes, begin, sees
from tests.providers.process_place import ProcessPlace

from poorwill.core.model import Condition
from poorwill.host.table import this_host
from poorwill.providers.process import sweep


class TestSomebodyElse:
    @pytest.mark.parametrize(
        ("number", "note"),
        [
            (signal.SIGTERM, "somebody else ended a: killed by signal 15 (SIGTERM)"),
            (signal.SIGINT, "somebody else ended a: killed by signal 2 (SIGINT)"),
            (
                signal.SIGKILL,
                "a was killed by signal 9 (SIGKILL): by somebody, or by the kernel for lack of memory",
            ),
        ],
    )
    async def test_a_signal_that_is_not_ours_is_noted(
        self, place: ProcessPlace, number: signal.Signals, note: str
    ) -> None:
        provider = place.provider()
        os.kill(await place.command_pid(await begin(provider, "a")), number)
        end = await becomes(provider, "a", Condition.ABSENT)
        assert place.notes == [note]
        assert end.exit_code == 128 + number

    @pytest.mark.parametrize("script", ["exit 3", "exit 0", "kill -SEGV $$"])
    async def test_its_own_end_is_nobodys_doing(self, place: ProcessPlace, script: str) -> None:
        provider = place.provider(command=["sh", "-c", script])
        await provider.start("a", {})
        await sees(provider, "a", lambda seen: seen.exit_code is not None, "over")
        assert place.notes == []

    async def test_one_that_we_had_to_kill_is_our_doing(self, place: ProcessPlace) -> None:
        script = "trap '' TERM; echo hello; while :; do sleep 1000; done"
        provider = place.provider(command=["sh", "-c", script], stop_timeout="200ms")
        await begin(provider, "a")
        await place.printed("a", "hello")
        await provider.stop("a")
        await sees(provider, "a", lambda seen: "killed, for it did not end" in seen.detail, "over")
        assert place.notes == []

    async def test_a_start_that_looks_while_another_stops_blames_nobody(
        self, place: ProcessPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It has seen the processes of the other one, and that one has ended by the time it reads on."""
        provider = place.provider()
        await begin(provider, "a")
        seen = tuple(sweep.marked(this_host(), f"{place.gateway}/s/"))
        assert seen
        await provider.stop("a")
        monkeypatch.setattr(sweep, "marked", lambda *_: iter(seen))
        await begin(provider, "b")
        end = await becomes(provider, "a", Condition.ABSENT)
        assert end.detail.startswith("stopped:")
        assert place.notes == []
