"""The JSON Schema of poorwill.yaml, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from poorwill.config.machine import switches
from poorwill.config.spec import Settings
from poorwill.config.status import status_text
from poorwill.core.duration import duration_text

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(providers: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """JSON Schema 2020-12 of the whole file, the providers' options included."""
    models: list[type[BaseModel]] = [Settings, *providers.values()]
    references, generated = models_json_schema(
        [(model, "validation") for model in models], schema_generator=_Schema
    )
    definitions = generated["$defs"]
    root = definitions.pop("Settings")
    for tenant in (definitions["ServiceConfig"], definitions["MachineConfig"]):
        _last(tenant["properties"], "price")
        _last(tenant["properties"], "budget")
    service = definitions["ServiceConfig"]
    service["required"].remove("run")  # on a machine it may be left out
    service["anyOf"] = [{"required": ["run"]}, {"required": ["on"]}]
    service["properties"]["run"] |= {
        "properties": {name: references[model, "validation"] for name, model in providers.items()},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    beside = {name: references[providers[name], "validation"] for name in switches(providers)}
    _describe_machine(definitions["MachineConfig"], beside)
    root["properties"]["machines"]["additionalProperties"] = False
    root["properties"]["services"] |= {"additionalProperties": False, "minProperties": 1}
    return {"$schema": DIALECT, **root, "title": "poorwill.yaml", "$defs": definitions}


def _last(properties: dict[str, Any], key: str) -> None:
    """What both kinds have in common is not what one writes first."""
    properties[key] = properties.pop(key)


def _describe_machine(machine: dict[str, Any], providers: Mapping[str, Any]) -> None:
    """Its provider stands beside the other keys, not below ``run``."""
    run = machine["properties"].pop("run")
    machine["required"].remove("run")
    named = {name: {**reference, "description": run["description"]} for name, reference in providers.items()}
    machine["properties"] = {**named, **machine["properties"]}
    machine["oneOf"] = [{"required": [name]} for name in named]


class _Schema(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # "Idle After" says nothing that idle_after does not

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        result = super().default_schema(schema)
        default = schema.get("default")
        if result.get("type") == "string" and isinstance(default, float):
            result["default"] = duration_text(default)  # people write a unit
        elif default and isinstance(default, tuple) and isinstance(default[0], tuple):
            result["default"] = status_text(default)
        elif result.get("type") == "string" and default is not None:
            result["default"] = str(default)
        return result
