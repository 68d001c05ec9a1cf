"""The ``gpu:`` section of a service, and ``gpus:``: which services share a GPU, and how."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from poorwill.config.complaint import expected
from poorwill.config.memory import Memory
from poorwill.config.units import Duration
from poorwill.core.share import MIN_AWAKE

_MODEL = ConfigDict(frozen=True, extra="forbid")

_EXAMPLE = "the number or name of a GPU, such as 0"


def _gpu_name(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise expected(_EXAMPLE)
    text = str(value).strip()
    if not text or not text.isprintable() or text.startswith("-"):
        raise expected(_EXAMPLE)
    return text


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, int | str) else value


def _once(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise expected(_EXAMPLE)
    if len(set(value)) < len(value):
        raise expected("each GPU once")
    return value


GpuName = Annotated[
    str, PlainValidator(_gpu_name), WithJsonSchema({"type": ["integer", "string"], "examples": [0]})
]
GpuKey = Annotated[str, PlainValidator(_gpu_name), WithJsonSchema({"type": "string", "pattern": "^[^-]"})]
"""The same, as a key."""

GpuNames = Annotated[
    tuple[GpuName, ...],
    BeforeValidator(_one_or_more),
    AfterValidator(_once),
    WithJsonSchema({"type": ["integer", "string", "array"], "items": {"type": ["integer", "string"]}}),
]


class GpuConfig(BaseModel):
    """One GPU that services share."""

    model_config = _MODEL

    memory: Memory | None = Field(
        default=None,
        description="How much memory it has, such as 24GB. Left out, nvidia-smi is asked; on a machine it "
        "has to be written as soon as a service there says how much it needs.",
    )


class Gpu(BaseModel):
    """What a service needs of a GPU. A number alone is the ``name``: the GPU is for this service alone."""

    model_config = _MODEL

    name: GpuNames = Field(
        description="Which GPU it runs on, as nvidia-smi counts them: 0 is the first one. A list when it "
        "needs several at once."
    )
    memory: Memory | None = Field(
        default=None,
        description="How much memory it needs of the GPU, such as 10GB: services that fit together are awake "
        "together. Left out, it needs the GPU for itself.",
    )
    priority: int = Field(
        default=0, description="Who is served first when not all fit: the highest number. Each gets its turn."
    )
    min_awake: Duration = Field(
        default=MIN_AWAKE,
        description="How long it stays awake at least, before it makes room for another service.",
    )

    @model_validator(mode="before")
    @classmethod
    def _a_name_alone(cls, value: Any) -> Any:
        if isinstance(value, int | str | list) and not isinstance(value, bool):
            return {"name": value}
        if not isinstance(value, dict | Gpu):
            raise expected("a GPU such as 0, or {name: 0, memory: 10GB}")
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        whole = handler(schema)
        handler.resolve_ref_schema(whole)["type"] = ["integer", "string", "array", "object"]
        return whole
