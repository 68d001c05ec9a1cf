"""The ``busy:`` section: short and long, and what a place cannot measure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from poorwill.config import load
from poorwill.config.busy import Busy
from poorwill.core.work import BusyRule
from poorwill.errors import ConfigError
from poorwill.providers.registry import option_models


def busy(**keys: Any) -> Busy:
    return Busy.model_validate(keys)


def test_a_path_alone_is_short_for_2xx() -> None:
    short, long = busy(http="/jobs"), busy(http={"path": "/jobs", "status": "2xx"})
    assert short.http is not None
    assert long.http is not None
    assert short.http.busy_status == long.http.busy_status == ((200, 299),)
    by_text = busy(http={"path": "/jobs", "text": "training"}).http
    assert by_text is not None
    assert by_text.busy_status is None


def test_what_is_not_said_has_a_limit() -> None:
    assert busy(gpu=10).rule == BusyRule(every=30.0, at_most=4 * 3600.0, unknown_at_most=600.0)
    given = busy(gpu=10, every="1m", at_most="12h", unknown_at_most="0s")
    assert given.rule == BusyRule(every=60.0, at_most=12 * 3600.0, unknown_at_most=0.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"at_most": "1h"},
        {"command": " "},
        {"command": "a\0b"},
        {"cpu": -1},
        {"gpu": 100},
        {"http": {"path": "/a", "json": "$.{x}"}},
        {"http": {"path": "/a", "json": "$.a", "text": "b"}},
        {"http": {"path": "/a", "above": 2}},
        {"http": {"path": "/a", "text": ""}},
        {"cpu": 10, "every": "0s"},
    ],
)
def test_what_it_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        busy(**wrong)


RUNS = {
    "process": ("{command: [x, '{port}']}", True),
    "docker": ("{container: x}", True),
    "compose": ("{project: ., service: x}", True),
    "command": ("{start: ./a, stop: ./b, status: ./c}", False),
    "fake": ("{}", False),
}


@pytest.mark.parametrize("provider", RUNS)
def test_a_place_that_cannot_measure_the_processor_says_so(tmp_path: Path, provider: str) -> None:
    options, able = RUNS[provider]
    models = option_models()
    file = tmp_path / "poorwill.yaml"
    gives = provider in ("process", "fake")
    file.write_text(
        "services:\n  a:\n"
        f"    run: {{{provider}: {options}}}\n"
        + ("" if gives else "    address: 127.0.0.1:9100\n")
        + "    busy: {cpu: 20, gpu: 5}\n"
    )
    try:
        load(file, models, {})
        problems = ""
    except ConfigError as error:
        problems = str(error)
    assert ("cannot tell how much CPU" in problems) is not able, problems
    assert able or "compose, docker, process can" in problems
