"""How many requests one instance of a service takes at a time."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from poorwill.config.complaint import expected
from poorwill.config.names import Pattern


class Concurrency(BaseModel):
    """Requests one instance takes at a time. A number alone is the ``limit`` and counts all requests."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(ge=1, description="How many at a time.")
    paths: tuple[Pattern, ...] = Field(
        default=(),
        description="The requests that count, as patterns like those of traffic; all but the background when "
        "there are none.",
    )

    @model_validator(mode="before")
    @classmethod
    def _a_number_alone(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return {"limit": value}
        if not isinstance(value, dict | Concurrency):
            raise expected("a number such as 4, or {limit: 4, paths: [/v1/*]}")
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        whole = handler(schema)
        handler.resolve_ref_schema(whole)["type"] = ["integer", "object"]
        handler.resolve_ref_schema(whole)["minimum"] = 1
        return whole
