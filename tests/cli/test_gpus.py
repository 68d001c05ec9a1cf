from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from poorwill.cli.entry import app
from poorwill.errors import BadInput


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["gpus", *words])


def test_the_table_says_what_they_have_cost_and_hold() -> None:
    said = run().stdout
    lines = {line.split("  ")[0]: " ".join(line.split()) for line in said.splitlines()}
    assert lines["A10G"] == "A10G 24GB 300 W 1.006 USD aws 2026-08-17 14B (q4), 8B (fp16)"
    assert lines["RTX 4090 *"].endswith("runpod-community 2026-09-25 14B (q4), 8B (fp16)")
    assert "below 12GB (RTX 3080 10GB, RTX 2080 Ti): only small language models" in said
    assert "GeForce driver excludes data centres" in said


def test_warnings_are_only_about_what_is_shown() -> None:
    said = run("--gpu", "l4").stdout
    assert "below 12GB" not in said
    assert "GeForce" not in said
    assert "below 12GB (RTX 2080 Ti)" in run("--gpu", "2080 ti").stdout


def test_a_model_fits_or_not() -> None:
    rows = json.loads(run("--model", "qwen2.5-14b", "--quant", "q4", "--context", "4096", "--json").stdout)
    fits = {row["name"]: row["fits"]["verdict"] for row in rows["gpus"]}
    assert (fits["RTX 2080 Ti"], fits["RTX 3060 12GB"], fits["T4"]) == ("no", "tight", "fits")
    assert rows["needed_bytes"]["total"] == sum(
        rows["needed_bytes"][part] for part in ("weights", "cache", "runtime")
    )
    said = run("--model", "70B", "--quant", "fp16", "--gpu", "H100", "--users", "4").stdout
    assert "no; 3 together do" in said
    assert "70B in fp16, 8192 tokens for 4 users:" in said
    assert "yes" in run("--weights", "14GB", "--gpu", "A10G").stdout


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--model", "lama-3-8b"], "no model 'lama-3-8b' is known", "llama-3-8b"),
        (["--model", "7B", "--quant", "q44"], "no quantisation 'q44'", "did you mean q4"),
        (["--model", "7B", "--weights", "14GB"], "say the same", ""),
        (["--weights", "14"], "--weights 14: expected an amount of memory with its unit", "14GB"),
        (["--model", "7B", "--context", "0"], "--context 0", ""),
        (["--model", "7B", "--users", "-1"], "--users -1", ""),
        (["--gpu", "A100"], "there are several A100", "A100 80GB"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], message: str, hint: str) -> None:
    wrong = run(*words).exception
    assert isinstance(wrong, BadInput)
    assert message in str(wrong)
    assert hint in wrong.hint
