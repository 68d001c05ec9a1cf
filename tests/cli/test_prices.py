"""With the real gpuhunt and a server of its catalogue on this machine, and without either."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.advisor.catalogue_server import AWS, RUNPOD, serving
from typer.testing import CliRunner, Result

from poorwill.cli.entry import app
from poorwill.errors import BadInput, PoorwillError


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["prices", *words])


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, unless a test serves one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("GPUHUNT_CATALOG_URL", "http://127.0.0.1:1")


def test_it_reads_keeps_and_shows_even_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(aws=AWS, runpod=RUNPOD) as url:
        monkeypatch.setenv("GPUHUNT_CATALOG_URL", url)
        said = run("a10g")
    assert said.exit_code == 0
    assert "g5.xlarge, us-east-1 (gpuhunt)" in said.stdout
    assert "(shipped table)" in said.stdout
    assert "spot" not in said.stdout
    assert "0.41 USD" in run("A10G", "--spot").stdout  # from what was kept
    assert json.loads(run("A40", "--json").stdout)["offers"][0]["per_hour"] == "0.44"
    with pytest.raises(PoorwillError, match="could not be read"):
        raise run("A10G", "--refresh").exception or AssertionError
    # A month later there is no network: the old ones are shown, and it says so.
    known = json.loads((tmp_path / "poorwill" / "prices.json").read_text())
    known["read"] = dict.fromkeys(known["read"], known["read"]["aws"] - 40 * 86_400)
    (tmp_path / "poorwill" / "prices.json").write_text(json.dumps(known))
    old = run("A10G")
    assert old.exit_code == 0
    assert "g5.xlarge" in old.stdout
    assert "note: newer prices could not be read" in old.stderr
    assert "are shown" in old.stderr


def test_without_the_extra_there_is_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpuhunt", None)
    said = run("A10", "--provider", "aliyun")
    assert said.exit_code == 0
    assert "9.74 CNY" in said.stdout
    assert "lambda" not in said.stdout
    assert "pip install 'poorwill[prices]'" in said.stderr
    assert "the shipped table is shown" in said.stderr
    wrong = run("A10", "--refresh").exception
    assert isinstance(wrong, PoorwillError)
    assert "poorwill[prices]" in wrong.hint


def test_prices_that_cannot_be_kept_are_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "poorwill").write_text("a file where the folder should be")
    with serving(aws=AWS) as url:
        monkeypatch.setenv("GPUHUNT_CATALOG_URL", url)
        said = run("A10G")
    assert "g5.xlarge" in said.stdout
    assert "could not be kept" in said.stderr


@pytest.mark.parametrize(
    ("words", "kind", "message", "hint"),
    [
        (["h1000"], BadInput, "no GPU 'h1000'", "did you mean H100?"),
        (["A10G", "--provider", "amazon"], BadInput, "no prices of 'amazon'", "aws"),
        (["A10G", "--provider", "aliyun"], PoorwillError, "no price of A10G at aliyun", "poorwill gpus"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], kind: type[PoorwillError], message: str, hint: str) -> None:
    wrong = run(*words).exception
    assert isinstance(wrong, kind)
    assert message in str(wrong)
    assert hint in wrong.hint
