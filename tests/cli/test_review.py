"""``poorwill review`` as people type it, on a journal that nobody writes to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.accounts.journaled import journaled, settings
from tests.accounts.recorded import SERVICES
from typer.testing import CliRunner, Result

from poorwill.cli.entry import app
from poorwill.errors import BadInput

FEW = SERVICES[2:]


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    await journaled(settings(tmp_path, services=FEW), FEW)
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "POORWILL_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def review(*words: str) -> Result:
    return CliRunner().invoke(app, ["review", "--month", "2026-10", *words])


async def test_the_ways_to_have_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert review().output.startswith("# October 2026 in review\n")
    assert review("--lang", "zh").output.startswith("# 2026 年 10 月回顾\n")
    assert json.loads(review("--format", "json").output)["month"] == "2026-10"
    assert review("--format", "html").output.startswith("<!doctype html>")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert review("--out", "october.html").output == "october.html is written.\n"
    assert '<html lang="zh">' in (place / "october.html").read_text("utf-8")
    assert review("--out", "october.json", "--format", "markdown").exit_code == 0
    assert (place / "october.json").read_text("utf-8").startswith("# 2026")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("--month", "Oct"), "Oct is no month", "or `this`"),
        (("--month", "2026-13"), "2026-13 is no month", "or `this`"),
        (("--month", "8999-01"), "8999-01 has not begun yet", "the running month is"),
        (("--out", "nowhere/october.md"), "cannot be written: No such file", "mkdir -p nowhere"),
        (("--out", "state"), "state cannot be written: Is a directory", "such as state/review.html"),
    ],
)
async def test_what_cannot_be_done(place: Path, words: tuple[str, ...], message: str, hint: str) -> None:
    said = review(*words)
    assert isinstance(said.exception, BadInput)
    assert message in str(said.exception)
    assert hint in said.exception.hint


async def test_a_month_before_the_journal(place: Path) -> None:
    said = CliRunner().invoke(app, ["review", "--month", "2025-01"])
    assert said.exit_code == 0
    assert "Nothing is known of January 2025" in said.output
    assert "nothing was awake" not in said.output


async def test_the_running_month_and_the_last_one(place: Path) -> None:
    this = CliRunner().invoke(app, ["review", "--month", "this"])
    assert "This month is not over" in this.output
    last = CliRunner().invoke(app, ["review"])
    assert "This month is not over" not in last.output
    assert last.exit_code == 0
