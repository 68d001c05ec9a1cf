from __future__ import annotations

import jsonschema
import pytest
from pydantic import ValidationError

from poorwill.providers.process import Options


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["python3", "app.py"], ("python3", "app.py")),
        ("python3 'my app.py' --x", ("python3", "my app.py", "--x")),
        (["serve", "--port", 8000], ("serve", "--port", "8000")),
        (["sh", "-c", "a && b"], ("sh", "-c", "a && b")),
    ],
)
def test_a_command_is_a_list_or_a_line(written: object, read: tuple[str, ...]) -> None:
    assert Options.model_validate({"command": written}).command == read
    jsonschema.validate({"command": written}, Options.model_json_schema())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Field required"),
        ({"command": []}, "name is empty"),
        ({"command": "  "}, "name is empty"),
        ({"command": 3}, "expected a command"),
        ({"command": ["x", 1.10]}, "expected a text"),
        ({"command": ["x", True]}, "expected a text"),
        ({"command": ["x", "a\0b"]}, "NUL"),
        ({"command": "cd x && ./run"}, "needs a shell"),
        ({"command": "A=b ./run"}, "needs a shell"),
        ({"command": "echo 'x"}, "quotes"),
        ({"command": "x", "env": {"A=": "b"}}, "cannot be a variable"),
        ({"command": "x", "env": {"A": True}}, "expected a text"),
        ({"command": "x", "env": {"POORWILL_INSTANCE": "b"}}, "set by Poorwill"),
        ({"command": "x", "stop_timeout": 10}, "unit"),
        ({"command": "x", "log": {"max_size": 1}}, "1024"),
        ({"command": "x", "cmd": "y"}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Options.model_validate(options)


def test_defaults_fit_a_beginner() -> None:
    options = Options.model_validate({"command": "x"})
    assert (options.cwd, options.env, options.stop_timeout, options.log.keep) == (".", {}, 10.0, 3)


@pytest.mark.parametrize(
    ("options", "gives"),
    [
        ({"command": "serve"}, False),
        ({"command": "serve --port={port}"}, True),
        ({"command": "serve", "env": {"LISTEN": "127.0.0.1:{port}"}}, True),
    ],
)
def test_an_address_is_given_when_the_port_is_used(options: dict[str, object], gives: bool) -> None:
    assert Options.model_validate(options).gives_address is gives


def test_survives_json() -> None:
    options = Options.model_validate({"command": "x", "stop_timeout": "1m30s", "log": {"keep": 1}})
    assert Options.model_validate_json(options.model_dump_json()) == options
