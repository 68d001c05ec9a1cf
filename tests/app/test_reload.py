"""What a changed configuration does to what goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from poorwill import clock
from poorwill.app.reload import amend, successor
from poorwill.app.shells import Shells
from poorwill.app.tenants import Grounds, charge
from poorwill.config import ServiceConfig
from poorwill.config.load import load
from poorwill.core.model import Now
from poorwill.providers.registry import provider
from poorwill.store.folder import StateFolder
from poorwill.store.journal import Kind, Restored

TEN_O_CLOCK = 1_800_007_200.0 - 1_800_007_200.0 % 86400 + 10 * 3600


def job(folder: Path, start: str, missed: str) -> ServiceConfig:
    run = "run: {process: {command: [x]}}"
    schedule = f"schedule: {{start: '{start}', until: done, missed: {missed}}}"
    file = folder / "poorwill.yaml"
    file.write_text(f"timezone: UTC\nservices:\n  night:\n    {run}\n    {schedule}\n")
    return load(file, {"process": provider("process").Options}, {}).services["night"]


@pytest.mark.parametrize("missed", ["run", "skip"])
@pytest.mark.parametrize(
    ("settled", "start", "counts"),
    [
        (2, "0 9 * * *", True),  # its hour had passed when it was written
        (2, "0 11 * * *", False),
        (2, "0 2 * * *", False),
        (-22, "0 9 * * *", False),  # the run of 02:00 is under way or due, and goes on being so
    ],
)
def test_a_new_schedule_does_not_make_up_for_hours_from_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missed: str, settled: int, start: str, counts: bool
) -> None:
    monkeypatch.setattr(clock, "now", lambda: Now(wall=TEN_O_CLOCK, mono=5_000.0, boot="boot"))
    folder = StateFolder.open(tmp_path / "state")
    shells = Shells(lambda _machine: tmp_path, tmp_path, lambda _machine: {})
    grounds = Grounds(folder, tmp_path, lambda _service: None, lambda _service, _words: None, shells)
    facts = charge(job(tmp_path, "0 2 * * *", missed), Restored(), grounds, has_door=False)
    facts.last_run = TEN_O_CLOCK + (settled - 10) * 3600
    after = job(tmp_path, start, missed)
    entry = amend(facts, after, successor(after, grounds))
    folder.close()
    assert (entry is not None) == counts
    if entry is not None:
        assert entry.kind is Kind.SKIPPED
        assert facts.last_run == entry.detail["last_run"] == TEN_O_CLOCK - 3600
