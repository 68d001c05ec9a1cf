"""Two services that would start and stop the same thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from poorwill.config import load
from poorwill.errors import ConfigError
from poorwill.providers.registry import option_models


def problems(folder: Path, text: str) -> list[str]:
    file = folder / "poorwill.yaml"
    file.write_text(text)
    try:
        load(file, option_models())
    except ConfigError as error:
        return [problem.message for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("run", "which"),
    [
        ("docker: {container: kb}", "the container kb"),
        ("docker: {label: a=b}", "the container a=b"),
        ("compose: {service: web, project: kb}", "the project kb"),
        ("compose: {service: web}", "the project docker-compose.yml"),
        ("http: {cloud: autodl, instance: pro-1, token: x}", "the instance pro-1 at autodl"),
    ],
)
def test_one_thing_belongs_to_one_service(tmp_path: Path, run: str, which: str) -> None:
    text = f"""
services:
  a: {{run: {{{run}}}, address: 'h:80', hosts: [a.test]}}
  b: {{run: {{{run}}}, address: 'h:81', hosts: [b.test]}}
"""
    (found,) = problems(tmp_path, text)
    assert found.startswith(f"{which} already belongs to services.a")


def test_a_machine_is_not_a_service_as_well(tmp_path: Path) -> None:
    text = """
machines:
  gpu: {http: {cloud: autodl, instance: pro-1, token: x}}
services:
  a: {on: gpu, address: 'h:80', hosts: [a.test]}
  b: {run: {http: {cloud: autodl, instance: pro-1, token: x}}, address: 'h:81', hosts: [b.test]}
"""
    (found,) = problems(tmp_path, text)
    assert found.startswith("the instance pro-1 at autodl already belongs to machines.gpu")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("docker: {container: kb}", "docker: {container: wiki}"),
        ("docker: {container: kb}", "docker: {container: kb, engine: 'tcp://other:2375'}"),
        ("docker: {container: 'x-{instance}'}", "docker: {container: 'x-{instance}'}"),
        (
            "http: {cloud: autodl, instance: pro-1, token: x}",
            "http: {cloud: autodl, instance: pro-2, token: x}",
        ),
        ("command: {start: ./up, stop: ./down}", "command: {start: ./up, stop: ./down}"),
    ],
)
def test_what_differs_may_stand_beside_each_other(tmp_path: Path, one: str, other: str) -> None:
    text = f"""
services:
  a: {{run: {{{one}}}, address: 'h:80', hosts: [a.test]}}
  b: {{run: {{{other}}}, address: 'h:81', hosts: [b.test]}}
"""
    assert problems(tmp_path, text) == []
