"""Containers of a service that lives on a machine: which engine may be named."""

from __future__ import annotations

from pathlib import Path

import pytest

from poorwill.config import load
from poorwill.errors import ConfigError
from poorwill.providers.registry import option_models

FILE = """
services:
  kb:
    on: gpu
    run: {compose: {service: web, engine: "ENGINE"}}
    address: "{host}:80"
machines:
  gpu: {command: {start: x, stop: y}, ssh: {host: gpu.example.com}}
"""


def read(folder: Path, engine: str) -> None:
    file = folder / "poorwill.yaml"
    file.write_text(FILE.replace("ENGINE", engine))
    load(file, option_models(), {})


def test_a_socket_over_there(tmp_path: Path) -> None:
    read(tmp_path, "unix:///run/user/1000/docker.sock")


@pytest.mark.parametrize("engine", ["ssh://root@gpu.example.com", "tcp://gpu.example.com:2376"])
def test_another_way_to_an_engine_is_refused(tmp_path: Path, engine: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, engine)
    (problem,) = raised.value.problems
    assert problem.message == "compose cannot run on a machine"
    assert problem.hint == "leave engine out: the Docker Engine of the machine is used"
