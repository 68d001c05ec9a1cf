"""What instances are called, and which kinds of place can have several."""

from __future__ import annotations

from pathlib import Path

import pytest

from poorwill.config import load
from poorwill.config.run import Run
from poorwill.core.model import Condition
from poorwill.errors import ConfigError, Temporary
from poorwill.providers import instances
from poorwill.providers.base import Sighting
from poorwill.providers.registry import option_models

SCRIPTS = {"start": "./start.sh {number}", "stop": "./stop.sh {number}", "status": "./status.sh {number}"}
CLOUD = {"cloud": "autodl", "token": "t"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("serve --name {instance}", "serve --name kb-12"),
        ("9{number}, GPU {index}", "912, GPU 11"),
        ("echo ${number} ${instance} {other} {", "echo ${number} ${instance} {other} {"),
    ],
)
def test_what_is_filled_in(text: str, filled: str) -> None:
    assert instances.filled(text, instances.named("kb", 12)) == filled


def test_a_name_without_a_number_fills_in_no_number() -> None:
    assert instances.filled("{instance} {number} {index}", "kb") == "kb {number} {index}"


@pytest.mark.parametrize(
    ("pattern", "text", "instance"),
    [
        ("chat-{instance}", "chat-kb-2", "kb-2"),
        ("chat-{number}", "chat-12", "kb-12"),
        ("chat-{number}.x", "chat-12.x", "kb-12"),
        ("gpu{index}", "gpu0", "kb-1"),
        ("{number}-{index}", "3-2", "kb-3"),
        ("{number}-{index}", "3-3", None),
        ("chat-{number}", "chat-02", None),
        ("chat-{number}", "chat-0", None),
        ("chat-{number}", "chat-old", None),
        ("chat.{number}", "chat-2", None),
        ("chat", "chat", None),
    ],
)
def test_which_instance_is_meant(pattern: str, text: str, instance: str | None) -> None:
    assert instances.meant(pattern, text, "kb") == instance


@pytest.mark.parametrize(
    ("provider", "options", "why_not"),
    [
        ("process", {"command": "serve {port}"}, ""),
        ("process", {"command": "serve", "env": {"PORT": "{port}"}}, ""),
        ("process", {"command": "serve {number}"}, "write {port} where the program takes it"),
        ("command", SCRIPTS, ""),
        ("command", {**SCRIPTS, "stop": "./stop.sh"}, "such as stop: ./stop.sh {number}"),
        ("command", {**SCRIPTS, "start": "./start.sh ${number}"}, "such as start: ./start.sh {number}"),
        ("command", {**SCRIPTS, "status": None}, "add status: ./status.sh {number}"),
        ("command", {"start": "x", "stop": "x", "status": "x", "env": {"WHICH": "{index}"}}, ""),
        ("ssh", {"host": "gpu", **SCRIPTS}, ""),
        ("ssh", {"host": "gpu", **SCRIPTS, "stop": "x"}, "stop is the same for every instance"),
        ("http", {**CLOUD, "instance": "{instance}"}, ""),
        ("http", {**CLOUD, "instance": "pro-1"}, "pro-1 is one rented instance"),
        ("docker", {"container": "chat-{number}"}, ""),
        ("docker", {"label": "role={instance}"}, ""),
        ("docker", {"container": "chat"}, ""),
        ("docker", {"label": "role=chat"}, 'write label: "com.example.role=chat-{number}"'),
        ("compose", {"service": "web"}, ""),
        ("machine", {}, "is there once"),
        ("fake", {}, ""),
        ("fake", {"serve": False}, "leave serve out"),
    ],
)
def test_what_can_have_several(provider: str, options: dict[str, object], why_not: str) -> None:
    said = Run(provider, option_models()[provider].model_validate(options)).several
    assert why_not in said
    assert bool(said) is bool(why_not)


@pytest.mark.parametrize("provider", sorted(option_models()))
def test_every_provider_says_whether_it_can(provider: str) -> None:
    assert isinstance(option_models()[provider].several, property)  # type: ignore[attr-defined]


FILE = """
services:
  a:
    run: {process: {command: [serve, "9100"]}}
    address: 127.0.0.1:9100
    scale_policy: &two {max_instances: 2, target: {concurrency: 2}}
  b:
    path: /b
    run: {command: {start: "./a {number}", stop: "./b {number}", status: "./c {number}"}}
    address: 127.0.0.1:9104
    scale_policy: *two
  c:
    path: /c
    run: {command: {start: "./a {number}", stop: "./b {number}", status: "./c {number}"}}
    address: 127.0.0.1:920{number}
    scale_policy: *two
"""


def test_what_is_wrong_is_said_once(tmp_path: Path) -> None:
    file = tmp_path / "poorwill.yaml"
    file.write_text(FILE.replace("  a:", "  a:\n    path: /a"))
    with pytest.raises(ConfigError) as raised:
        load(file, option_models(), {})
    assert [(problem.key, problem.line) for problem in raised.value.problems] == [
        ("services.a.run", 5),
        ("services.b.address", 11),
    ]


class TestToldApart:
    def test_an_error_of_one_says_nothing_about_another(self) -> None:
        up = Sighting("kb-1", Condition.RUNNING)
        seen = instances.told_apart(["kb-1", "kb-2"], [up, Temporary("no answer")])
        assert seen == [up, Sighting("kb-2", Condition.UNKNOWN, detail="no answer")]

    def test_when_nothing_can_be_seen_it_is_an_error(self) -> None:
        with pytest.raises(Temporary, match="no answer"):
            instances.told_apart(["kb-1", "kb-2"], [Temporary("no answer"), Temporary("nor here")])

    def test_a_mistake_is_not_passed_over(self) -> None:
        with pytest.raises(KeyError):
            instances.told_apart(["kb-1", "kb-2"], [Sighting("kb-1", Condition.RUNNING), KeyError("x")])
