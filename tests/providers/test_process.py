from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.providers.conformance import (
    ProviderConformance,
    becomes,
    begin,
)
from tests.providers.process_place import MISSING, ProcessPlace

from poorwill.core.model import Condition
from poorwill.host.table import PsutilTable
from poorwill.providers.process import provider as provider_module
from poorwill.providers.process import spawn


class TestConformance(ProviderConformance):
    cannot = MISSING


class TestConformanceByPolling(ProviderConformance):
    """A host without pidfd."""

    cannot = MISSING

    @pytest.fixture(autouse=True)
    def _no_pidfd(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(os, "pidfd_open")


class TestConformanceWithoutProc:
    """A host without ``/proc``: what psutil tells is enough to find, watch and stop."""

    @pytest.fixture(autouse=True)
    def _no_proc(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(provider_module, "this_host", PsutilTable)

    test_starts_and_stops = ProviderConformance.test_starts_and_stops
    test_a_crash_is_told = ProviderConformance.test_a_crash_is_told
    test_takes_over_what_was_never_journalled = ProviderConformance.test_takes_over_what_was_never_journalled
    test_closing_leaves_instances_alone = ProviderConformance.test_closing_leaves_instances_alone


class TestBashForAShell(ProviderConformance):
    """macOS and Red Hat have bash for ``/bin/sh``; the wrapper must work the same."""

    cannot = MISSING

    @pytest.fixture(autouse=True)
    def _bash(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "sh").symlink_to("/bin/bash")
        monkeypatch.setattr(spawn, "SHELL", str(tmp_path / "sh"))

    async def test_tells_the_exit_code(self, place: ProcessPlace) -> None:
        provider = place.provider(command=["sh", "-c", "exit 3"])
        await provider.start("a", {})
        assert (await becomes(provider, "a", Condition.ABSENT)).detail == "exit code 3"

    async def test_passes_on_the_question(self, place: ProcessPlace) -> None:
        script = "trap 'exit 5' TERM; echo hello; while :; do sleep 0.05; done"
        provider = place.provider(command=["sh", "-c", script])
        await begin(provider, "a")
        await place.printed("a", "hello")
        await provider.stop("a")
        assert (await becomes(provider, "a", Condition.ABSENT)).detail == "stopped: exit code 5"
