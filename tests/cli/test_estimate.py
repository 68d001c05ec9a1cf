from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.docs.pages import blocks, commands
from typer.testing import CliRunner, Result

from poorwill.cli.entry import app
from poorwill.errors import BadInput

PRICE = ("--price", "3.90", "--currency", "CNY")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POORWILL_FILE", raising=False)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["estimate", *words])


def asked(*words: str) -> dict[str, dict[str, str]]:
    """The plans by their names."""
    said = run(*words, "--json")
    assert said.exit_code == 0, said.exception
    return {plan["name"]: plan for plan in json.loads(said.stdout)["plans"]}


def test_the_plans_stand_side_by_side_and_it_says_why_they_differ() -> None:
    said = run("--gpu", "a10g", *PRICE, "--storage", "35", "--gateway", "8").stdout
    for words in (
        "3.90 CNY an hour: your price of an hour with A10G",
        "2843.00",
        "1234.45  1608.55 (57 %)",
        "745.13  2097.87 (74 %)",
        "10 h daily (10 h a day, 30 days): 1608.55 less than 24x7",
        "-1638.00  420.0 fewer hours at 3.90 CNY",
        "+21.45  5.5 h for 30 starts: 1m to start, up to 10m idle",
        "+8.00  gateway",
        "a month has 30 days",
    ):
        assert words in said


def test_json_has_the_same_figures() -> None:
    plans = asked(*PRICE, "--storage", "35", "--gateway", "8 CNY", "--hours", "12", "--visits", "0")
    assert list(plans) == ["24x7", "12 h daily", "workdays 8 h"]
    assert plans["workdays 8 h"]["total"] == "745.13"
    assert plans["24x7"]["saved"] == "0.00"
    assert plans["12 h daily"]["fixed"] == {"storage": "35.00", "gateway": "8.00"}


def test_a_plan_that_is_left_out_is_told() -> None:
    words = "on request is left out: with no visits at all it would never wake"
    assert f"- {words}" in run(*PRICE, "--visits", "0/day").stdout
    assert words in json.loads(run(*PRICE, "--visits", "0", "--json").stdout)["notes"]
    assert words not in run(*PRICE).stdout


def test_a_month_of_the_calendar_has_its_own_days() -> None:
    plans = asked(*PRICE, "--month", "2026-02")
    assert plans["24x7"]["hours"] == 28 * 24
    assert plans["workdays 8 h"]["hours"] == 20 * 8
    assert asked(*PRICE, "--month", "2026-11")["workdays 8 h"]["hours"] == 21 * 8


def test_without_a_price_the_typical_one_counts() -> None:
    said = run("--gpu", "A10G").stdout
    assert "1.006 USD an hour: typical for A10G: aws, 2026-08-17" in said
    assert "9.74 CNY" in run("--gpu", "A10", "--currency", "CNY").stdout


def test_poorwill_yaml_says_the_rest() -> None:
    Path("poorwill.yaml").write_text(
        "currency: CNY\n"
        "timezone: Asia/Shanghai\n"
        "services:\n"
        "  kb:\n"
        "    run: {process: {command: [a]}}\n"
        "    address: 127.0.0.1:9100\n"
        "    idle_after: 20m\n"
        "    schedule: 09:00-18:00\n"
        "    price: {gpu: A10G, per_hour: 3.90, billed: hour}\n"
        "costs:\n"
        "  storage: {amount: 35}\n"
        "  gateway: {amount: 0.2, per: day}\n"
        "  domain: {amount: 12 USD, per: year}\n"
    )
    plans = asked("--wake", "40s")
    own = plans["its schedule"]
    assert (own["hours"], own["starts"]) == (30 * 9, 30)
    assert own["extra_amount"] == f"{30 * (40 + 20 * 60) / 3600 * 3.9:.2f}"
    assert float(own["rounding_amount"]) == pytest.approx(30 * 3.9 - float(own["extra_amount"]), abs=0.01)
    assert own["fixed"] == {"storage": "35.00", "gateway": "6.00"}
    said = run().stdout
    assert "from poorwill.yaml (kb)" in said
    assert "begun and not used: billed in steps of 1h" in said
    assert "another currency: domain (USD)" in said
    assert asked("--price", "1 USD")["24x7"]["total"] == "720.99"  # the domain is in USD: 30 of 365 days
    assert asked("--month", "2026-02")["its schedule"]["hours"] == 28 * 9


def test_a_service_costs_what_its_machine_does() -> None:
    Path("poorwill.yaml").write_text(
        "currency: EUR\n"
        "services:\n"
        "  a: {on: box, address: 10.0.0.5:80, path: /a}\n"
        "  b:\n"
        "    path: /b\n"
        "    run: {process: {command: [b]}}\n"
        "    address: 127.0.0.1:9100\n"
        "    price: {watts: 400, per_kwh: 0.30}\n"
        "machines:\n"
        "  box: {command: {start: a, stop: b, status: c}, price: {gpu: L4}}\n"
    )
    with pytest.raises(BadInput, match="several services"):
        raise run().exception or AssertionError
    assert "400 watts at 0.30 EUR a kWh (b)" in run("--service", "b").stdout
    assert asked("--service", "b")["24x7"]["total"] == "86.40"
    assert "0.8048 USD an hour: typical for L4" in run("--service", "a").stdout


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ([], "nothing says what an hour costs", "--gpu A10G"),
        (["--price", "3.90"], "nothing says which currency", "--currency CNY"),
        (["--price", "-3", "--currency", "CNY"], "expected an amount of 0 or more", ""),
        (["--price", "3,90 CNY"], "expected an amount", "write 3.90"),
        (["--price", "¥3.90"], "expected an amount", "3.90 CNY"),
        (["--price", "3.90 CNY", "--currency", "USD"], "--price is in CNY", "leave one of them out"),
        (["--price", "3", "--currency", "CNZ"], "expected a currency", "did you mean"),
        (["--gpu", "A10H"], "no GPU 'A10H' is known", "did you mean A10?"),
        (["--gpu", "A10G", "--currency", "CNY"], "no typical price of A10G in CNY", "--currency CNY"),
        ([*PRICE, "--gpu", "potato"], "no GPU", "poorwill gpus"),
        ([*PRICE, "--hours", "25"], "--hours 25: expected more than 0 and at most 24", "24 hours"),
        ([*PRICE, "--workday-hours", "0"], "--workday-hours 0", "24 hours"),
        ([*PRICE, "--visits", "many"], "--visits many", "40/day"),
        ([*PRICE, "--visits", "9999999/day"], "at most a million", ""),
        ([*PRICE, "--idle", "10"], "--idle 10: expected a duration with its unit", "10m"),
        ([*PRICE, "--month", "13"], "--month 13: expected a month", "2026-11"),
        ([*PRICE, "--storage", "5 USD"], "--storage is in USD", "does not convert"),
        ([*PRICE, "--file", "no.yaml"], "no file no.yaml", "no file is needed"),
        ([*PRICE, "--service", "kb"], "there is no poorwill.yaml", "--file"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], message: str, hint: str) -> None:
    wrong = run(*words).exception
    assert isinstance(wrong, BadInput)
    assert message in str(wrong)
    assert hint in wrong.hint


@pytest.mark.parametrize("page", ["what-will-it-cost.md", "which-gpu.md"])
def test_the_documentation_shows_what_is_printed(page: str) -> None:
    shown = [block for block in blocks("console") if block.page.name == page and "\n" in block.text.strip()]
    told = [block for block in shown if not block.text.startswith("$ pip")]
    assert told
    for block in told:
        [words] = commands(block)
        said = CliRunner().invoke(app, words).stdout
        printed = "\n".join(line.rstrip() for line in said.strip().splitlines())
        assert block.text.partition("\n")[2].strip() == printed
