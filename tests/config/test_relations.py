"""Services and the machines they are on: what does not fit together, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from poorwill.config import load
from poorwill.errors import ConfigError
from poorwill.providers.registry import option_models

BARE = "{command: {start: x, stop: y}}"
SSH = "{command: {start: x, stop: y}, ssh: {host: gpu.example.com}}"


def problems(folder: Path, service: str, machine: str, address: str) -> list[str]:
    file = folder / "poorwill.yaml"
    file.write_text(
        f'services:\n  a:\n    {service}\n    address: "{address}"\nmachines:\n  gpu: {machine}\n'
    )
    try:
        load(file, option_models(), {})
    except ConfigError as error:
        return [f"{problem.message} ({problem.hint})" for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("service", "machine", "address", "said"),
    [
        (f"on: gpux\n    run: {BARE}", BARE, "127.0.0.1:80", "there is no machine gpux (did you mean gpu?)"),
        (f"on: gpu\n    run: {BARE}", BARE, "{host}:80", "nothing says how to log in to gpu (add ssh to"),
        (
            "on: gpu\n    run: {process: {command: [x]}}",
            SSH,
            "{host}:80",
            "process cannot run on a machine",
        ),
        ("on: gpu", BARE, "tunnel:80", "a tunnel needs a machine with ssh (say how to log in:"),
        (
            "on: gpu\n    run: {docker: {container: kb, engine: 'ssh://root@gpu'}}",
            SSH,
            "{host}:80",
            "docker cannot run on a machine (leave engine out: the Docker Engine of the machine is used)",
        ),
    ],
)
def test_what_cannot_be(tmp_path: Path, service: str, machine: str, address: str, said: str) -> None:
    found = problems(tmp_path, service, machine, address)
    assert len(found) == 1, found
    assert found[0].startswith(said)


@pytest.mark.parametrize(
    "service",
    [
        "on: gpu",
        f"on: gpu\n    run: {BARE}",
        "on: gpu\n    run: {docker: {container: kb}}",
        "on: gpu\n    run: {compose: {service: web, engine: 'unix:///run/user/1000/docker.sock'}}",
    ],
)
def test_what_can(tmp_path: Path, service: str) -> None:
    assert problems(tmp_path, service, SSH, "{host}:80") == []
