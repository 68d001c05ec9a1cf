"""Machines in poorwill.yaml: what is wrong with them and where, and what their keys mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field
from tests.config.reading import Options, wrong_files

from poorwill.config import Settings, json_schema, load
from poorwill.config.document import read
from poorwill.core.model import Service
from poorwill.errors import ConfigError
from poorwill.providers.machine import Options as WithItsMachine


class Command(BaseModel):
    """What the tests' provider ``command`` accepts: it runs here, and on machines."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str = Field(description="Starts it.")
    size: int = 1

    @property
    def on_machine(self) -> bool:
        return True


PROVIDERS: dict[str, type[BaseModel]] = {"command": Command, "process": Options, "machine": WithItsMachine}
GOOD = """
timezone: Asia/Shanghai
machines:
  gpu:
    command: {start: ./on.sh}
    ssh: {user: root, port: 2222}
    ready: {timeout: 15m}
    idle_after: 5m
    schedule: Mon-Fri 09:00-18:00
services:
  model: {on: gpu, address: "tunnel:11434", hosts: [model.test]}
  app:
    on: gpu
    needs: [model]
    run: {command: {start: ./app.sh}}
    address: "{host}:7860"
    hosts: [app.test]
"""


def settings(folder: Path, text: str) -> Settings:
    file = folder / "poorwill.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, PROVIDERS, {})


@pytest.mark.parametrize(
    ("text", "expected"), list(wrong_files(Path(__file__).with_name("wrong_machines.txt")))
)
def test_every_problem_once_with_its_place(tmp_path: Path, text: str, expected: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text)
    found = [str(problem).removeprefix(f"{problem.file}:") for problem in caught.value.problems]
    assert found == [line for line in expected if line]


def test_a_machine_and_what_lives_on_it(tmp_path: Path) -> None:
    found = settings(tmp_path, GOOD)
    gpu, model, app = found.machines["gpu"], found.services["model"], found.services["app"]
    assert (gpu.run.provider, gpu.run.options) == ("command", Command(start="./on.sh"))
    assert gpu.rules(settle=7.0) == Service(
        "gpu", idle_after=300.0, start_timeout=900.0, settle=7.0, timetable=gpu.timetable
    )
    assert gpu.timetable is not None
    assert gpu.timetable.zone == "Asia/Shanghai"
    assert (model.on, model.run.provider, model.needs) == ("gpu", "machine", ())
    assert (app.on, app.run.provider, app.needs) == ("gpu", "command", ("model",))


def test_an_own_time_zone(tmp_path: Path) -> None:
    found = settings(tmp_path, GOOD.replace("idle_after: 5m", "timezone: Europe/Berlin"))
    assert found.machines["gpu"].zone == "Europe/Berlin"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(json.dumps(json_schema(PROVIDERS)))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_an_editor_takes_it(validator: Draft202012Validator) -> None:
    assert list(validator.iter_errors(read(GOOD, {}).value)) == []


@pytest.mark.parametrize(
    "damage",
    [
        ("    command: {start: ./on.sh}\n", ""),
        ("command: {start: ./on.sh}", "comand: {start: ./on.sh}"),
        ("command: {start: ./on.sh}", "command: {strt: ./on.sh}"),
        ("command: {start: ./on.sh}", "machine: {}"),
        ("command: {start: ./on.sh}", "run: {command: {start: ./on.sh}}"),
        ("    ready:", "    process: {command: [x]}\n    ready:"),
        ("user: root", "usr: root"),
        ("  gpu:\n", "  GPU 1:\n"),
        ("  model: {on: gpu, ", "  model: {"),
    ],
    ids=lambda damage: damage[1].strip() or "no provider",
)
def test_an_editor_marks_what_is_wrong(validator: Draft202012Validator, damage: tuple[str, str]) -> None:
    text = GOOD.replace(*damage)
    assert text != GOOD
    assert list(validator.iter_errors(read(text, {}).value))


def test_an_editor_shows_what_each_key_means(validator: Draft202012Validator) -> None:
    keys = validator.schema["$defs"]["MachineConfig"]["properties"]
    assert [*keys] == [
        "command",
        "process",
        "ssh",
        "ready",
        "idle_after",
        "adopt",
        "gpus",
        "schedule",
        "timezone",
        "price",
        "budget",
    ]
    assert all(key["description"] for key in keys.values())
