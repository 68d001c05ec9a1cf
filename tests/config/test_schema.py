from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from tests.config.reading import PROVIDERS, STARTER
from tests.config.test_spec import FULL, SMALLEST

from poorwill.config import json_schema
from poorwill.config.document import read


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(json.dumps(json_schema(PROVIDERS)))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("text", [STARTER, SMALLEST, FULL])
def test_good_files_pass(validator: Draft202012Validator, text: str) -> None:
    assert list(validator.iter_errors(read(text, {}).value)) == []


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "services: {}",
        SMALLEST + "\nbanana: 1",
        SMALLEST + "\nlisten: 8080",
        "services: {'A b': {run: {process: {command: [x]}}}}",
        "services: {a: {}}",
        "services: {a: {run: {}}}",
        "services: {a: {run: {process: {}}}}",
        "services: {a: {run: {process: {command: [x], banana: 1}}}}",
        "services: {a: {run: {banana: {}}}}",
        "services: {a: {run: {process: {command: [x]}}, idle_after: soon}}",
        "services: {a: {run: {process: {command: [x]}}, idle_after: 90}}",
        "services: {a: {run: {process: {command: [x]}}, idle_after: ''}}",
        "services: {a: {run: {process: {command: [x]}}, ready: {status: 6xx}}}",
        "services: {a: {run: {process: {command: [x]}}, protocol: h2}}",
        "services: {a: {run: {process: {command: [x]}}, path: notes}}",
        "services: {a: {run: {process: {command: [x]}}, traffic: {busy: [x]}}}",
    ],
)
def test_bad_files_do_not(validator: Draft202012Validator, text: str) -> None:
    assert list(validator.iter_errors(read(text, {}).value))


def test_what_an_editor_shows() -> None:
    schema = json_schema(PROVIDERS)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    service = schema["$defs"]["ServiceConfig"]["properties"]
    assert service["idle_after"]["default"] == "10m"
    assert schema["$defs"]["Ready"]["properties"]["status"]["default"] == ["200-399"]
    assert schema["properties"]["listen"]["default"] == "127.0.0.1:8080"
    for keys in (schema["properties"], service):
        assert all(described["description"] for described in keys.values())


def test_defaults_are_values_that_would_pass() -> None:
    schema = json_schema(PROVIDERS)
    for model in (schema, *schema["$defs"].values()):
        for name, key in model["properties"].items():
            if "default" in key:
                full: dict[str, Any] = {**key, "$defs": schema["$defs"]}
                assert not list(Draft202012Validator(full).iter_errors(key["default"])), name


def test_two_providers_with_models_of_one_name() -> None:
    class Options(BaseModel):
        image: str

    schema = json_schema({**PROVIDERS, "docker": Options})
    validator = Draft202012Validator(schema)
    good = {"services": {"a": {"run": {"docker": {"image": "x"}}}}}
    bad = {"services": {"a": {"run": {"docker": {"command": ["x"]}}}}}
    assert validator.is_valid(good)
    assert not validator.is_valid(bad)
