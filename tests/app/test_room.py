"""Whoever may not have as many files open as the configuration needs is told so, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from poorwill.app import room
from poorwill.config import load
from poorwill.providers.registry import option_models

TEXT = "services: {{a: {{max_held: {held}, run: {{process: {{command: [x, '{{port}}']}}}}}}}}"


@pytest.mark.parametrize(("allowed", "held", "warned"), [(1024, 5000, True), (1024, 400, False)])
def test_too_few_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: int, held: int, warned: bool
) -> None:
    file = tmp_path / "poorwill.yaml"
    file.write_text(TEXT.format(held=held))
    monkeypatch.setattr(room, "raise_limit", lambda: allowed)
    monkeypatch.setattr(room, "connections", lambda: 412)
    with capture_logs() as said:
        room.make_room(load(file, option_models()))
    assert bool(said) == warned
    if warned:
        assert said[0]["services"] == ["a"]
        assert "only 412 visitors" in said[0]["hint"]
