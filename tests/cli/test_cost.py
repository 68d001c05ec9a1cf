"""``poorwill cost``, from a journal that is there without anything running."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.accounts.written import ZONE, alive, life, terms, whole, write
from tests.docs.pages import ROOT
from typer.testing import CliRunner, Result

from poorwill.cli.entry import app
from poorwill.config import load
from poorwill.control.terms import entries
from poorwill.core.costs import Cost
from poorwill.core.price import Price
from poorwill.errors import BadInput, NotRunning
from poorwill.providers.registry import option_models
from poorwill.store.journal import Entry

RUNNER = CliRunner()


def run(folder: Path, *words: str) -> Result:
    file = folder / "poorwill.yaml"
    file.write_text(f"state: state\ntimezone: {ZONE}\n", encoding="utf-8")
    return RUNNER.invoke(app, ["cost", "--file", str(file), *words])


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    storage = Cost("storage", Decimal(31), "CNY", "month", ZONE)
    lines = [
        whole("2025-03-01", "gpu", "kb", "report", "idle", costs=[storage.as_json()]),
        terms("2025-03-01", "gpu", Price("CNY", Decimal("2.00")), kind="machine"),
        terms("2025-03-01", "kb", on="gpu"),
        terms("2025-03-01", "report", Price("USD", Decimal("0.50"), typical=True), kind="job"),
        terms("2025-03-01", "idle"),
        *life("gpu", "2025-03-10 09:00", "2025-03-10 19:00"),
        *life("kb", "2025-03-10 09:05", "2025-03-10 18:55"),
        *life("report", "2025-03-11 06:00", "2025-03-11 06:30"),
        alive("2025-04-01"),
    ]
    await write(tmp_path / "state", lines)
    return tmp_path


def test_a_month_as_a_table(folder: Path) -> None:
    said = run(folder, "--month", "2025-03")
    assert said.exit_code == 0
    rows = [" ".join(line.split()) for line in said.stdout.splitlines()]
    for row in (
        "2025-03",
        "idle 0.00 h -",
        "kb 9.83 h 20.00 CNY",
        "report (job) 0.50 h 0.25 USD*",
        "gpu (machine) 10.00 h 0.00 CNY",
        "storage 31.00 CNY",
        "total 51.00 CNY + 0.25 USD",
        "saved 1468.00 CNY",
        "gpu cost 20.00 CNY: what is on it has its part, the rest stands beside its own name",
    ):
        assert row in rows
    assert "what one instance would have cost all the time" in said.stdout
    assert "report is counted at a typical price" in said.stdout


def test_the_same_as_json_and_csv(folder: Path) -> None:
    told = json.loads(run(folder, "--month", "2025-03", "--format", "json").stdout)
    kb = next(one for one in told["services"] if one["name"] == "kb")
    assert (kb["seconds"], kb["amount"], kb["currency"], kb["on"]) == (35_400, 20.0, "CNY", "gpu")
    assert told["period"]["since"] == "2025-03-01T00:00:00+08:00"
    assert told["period"]["complete"] is True
    rows = list(csv.DictReader(io.StringIO(run(folder, "--month", "2025-03", "--format", "csv").stdout)))
    assert {row["name"]: row["amount"] for row in rows} == {
        "idle": "",
        "kb": "20.0",
        "report": "0.25",
        "gpu": "0.0",
        "storage": "31.0",
    }
    focus = list(
        csv.DictReader(io.StringIO(run(folder, "kb", "--month", "2025-03", "--format", "focus").stdout))
    )
    assert [(row["ResourceId"], row["BilledCost"]) for row in focus] == [("kb", "20")]


def test_today_this_week_and_this_month_side_by_side(folder: Path) -> None:
    assert run(folder).stdout.splitlines()[0].split() == "today this week this month".split()
    told = json.loads(run(folder, "--format", "json").stdout)
    assert [told["period"]["per"], told["today"]["period"]["per"], told["week"]["period"]["per"]] == [
        "month",
        "day",
        "week",
    ]
    assert {one["name"] for one in told["services"]} == {"kb", "report", "idle"}


def test_a_month_of_which_nothing_is_known_is_no_error(folder: Path) -> None:
    said = run(folder, "--month", "2025-01")
    assert said.exit_code == 0
    hint = "nothing is known of 2025-01: the journal begins on 2025-03-01 00:00"
    assert hint in said.stdout
    assert "0.00" not in said.stdout
    assert re.search(r"^total +-$", said.stdout, re.MULTILINE)
    rows = run(folder, "--month", "2025-01", "--format", "csv")
    assert len(rows.stdout.splitlines()) == 1
    assert hint in rows.stderr


def test_a_machine_that_is_asked_for_is_told_as_a_whole(folder: Path) -> None:
    said = run(folder, "gpu", "--month", "2025-03").stdout
    rows = [" ".join(line.split()) for line in said.splitlines()]
    assert rows[1:4] == ["gpu (machine) 10.00 h 20.00 CNY", "kb's part 20.00 CNY", "total 20.00 CNY"]
    told = json.loads(run(folder, "gpu", "--month", "2025-03", "--format", "json").stdout)
    [gpu] = told["machines"]
    assert (gpu["amount"], gpu["whole"], gpu["shares"]) == (20.0, 20.0, [{"name": "kb", "amount": 20.0}])
    assert told["total"] == [{"currency": "CNY", "amount": 20.0}]
    focus = run(folder, "gpu", "--month", "2025-03", "--format", "focus").stdout
    assert [(row["ResourceId"], row["BilledCost"]) for row in csv.DictReader(io.StringIO(focus))] == [
        ("kb", "20")
    ]


def test_what_cannot_be_asked(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    for words, error in (
        (("nobody",), BadInput),
        (("--month", "soon"), BadInput),
        (("--day", "--week"), BadInput),
    ):
        said = run(folder, *words)
        assert isinstance(said.exception, error)
        assert said.exception.hint
    assert isinstance(run(tmp_path_factory.mktemp("new")).exception, NotRunning)


async def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/what-it-costs.md").read_text(encoding="utf-8")
    [text] = [block for block in re.findall(r"```text\n(.*?)```", page, re.DOTALL) if "2025-03" in block]
    written = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0]
    (tmp_path / "poorwill.yaml").write_text(written, encoding="utf-8")
    settings = load(tmp_path / "poorwill.yaml", option_models(), {})
    stated = entries(settings, {}, lambda *_: None)
    lines = [("2025-02-28", replace(one, detail={**one.detail, **_here(one)})) for one in stated]
    lines += life("chat", "2025-03-10 09:00", "2025-03-10 17:30")
    lines += life("chat", "2025-03-11 09:00", "2025-03-11 11:00")
    await write(tmp_path / "state", [*lines, alive("2025-04-01")])
    said = await asyncio.to_thread(run, tmp_path, "--month", "2025-03")
    assert said.stdout.startswith(text)


def _here(entry: Entry) -> dict[str, Any]:
    """In the zone of these tests, wherever they run."""
    if entry.service:
        return {}
    return {"zone": ZONE, "costs": [{**one, "zone": ZONE} for one in entry.detail["costs"]]}
