"""The ``busy:`` section of a service: how to see work that no request shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from poorwill.config.claims import Complaint
from poorwill.config.complaint import all_of, expected, wrong
from poorwill.config.jsonpath import parse_path
from poorwill.config.names import RequestPath
from poorwill.config.status import StatusRanges
from poorwill.config.traffic import Headers
from poorwill.config.units import Duration, at_least
from poorwill.core.work import BusyRule

if TYPE_CHECKING:
    from poorwill.config.service import ServiceConfig

_MODEL = ConfigDict(frozen=True, extra="forbid")

KINDS = ("http", "command", "cpu", "gpu")

_BUSY_BY_DEFAULT = ((200, 299),)


def _json_path(value: str) -> str:
    try:
        path = parse_path(value)
    except ValueError as error:
        raise wrong(str(error), "for the answer {running: 2} write $.running") from error
    if path.placeholders:
        raise wrong("there is nothing to put into {braces} here", "write the path without them")
    return value


def _line(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise expected("a line for the shell, such as pgrep -f training.py")
    return value.strip()


class BusyQuestion(BaseModel):
    """What the service is asked, and which answer means that it is at work."""

    model_config = _MODEL

    path: RequestPath = Field(description="Path on the service that tells whether it is at work.")
    headers: Headers = Field(default_factory=dict, description="Headers sent with the question.")
    status: StatusRanges | None = Field(
        default=None,
        description="The status codes that mean busy, such as 200 or 2xx. Without json and text the default "
        "is 2xx.",
    )
    json_path: Annotated[str, AfterValidator(_json_path)] | None = Field(
        default=None,
        alias="json",
        description="Where to look in an answer of JSON, such as $.running. Busy is what is there and is not "
        "0, false, null or empty.",
    )
    above: float | None = Field(default=None, description="With json: busy is only a number above this one.")
    text: str | None = Field(
        default=None, min_length=1, description="A text that is in the answer while the service is busy."
    )

    @property
    def busy_status(self) -> tuple[tuple[int, int], ...] | None:
        """The codes that mean busy; None when what the answer holds decides."""
        by_content = self.json_path is not None or self.text is not None
        return self.status or (None if by_content else _BUSY_BY_DEFAULT)

    @model_validator(mode="after")
    def _one_way_to_tell(self) -> Self:
        all_ways = {"status": self.status, "json": self.json_path, "text": self.text}
        ways = [key for key, value in all_ways.items() if value is not None]
        found: list[Complaint] = []
        if len(ways) > 1:
            error = wrong(f"{ways[1]} has no use beside {ways[0]}", "leave one of them out", other=(ways[0],))
            found.append(((ways[1],), error, None))
        if self.above is not None and self.json_path is None:
            error = wrong("above has no use without json", "say where the number is: json: $.running")
            found.append((("above",), error, None))
        if found:
            raise all_of(found)
        return self


class Busy(BaseModel):
    """Work that no request shows. When one of these says busy, the sleep waits."""

    model_config = _MODEL

    http: BusyQuestion | None = Field(default=None, description="A path on the service that is asked.")
    command: (
        Annotated[str, PlainValidator(_line), WithJsonSchema({"type": "string", "minLength": 1})] | None
    ) = Field(
        default=None,
        description="A line for the shell where the service runs: on its machine, else on this host in the "
        "folder of this file. Exit code 0 means busy, 1 means not busy.",
    )
    cpu: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Busy while the service uses more than so many per cent of a processor core.",
    )
    gpu: Annotated[float, Field(ge=0, lt=100)] | None = Field(
        default=None,
        description="Busy while the GPU is used for more than so many per cent of the time: by the service, "
        "where that can be told, else by anybody.",
    )
    every: Annotated[Duration, at_least(1)] = Field(
        default=30.0, description="Pause between two questions while the sleep waits."
    )
    timeout: Annotated[Duration, at_least(0.1)] = Field(
        default=10.0, description="How long an answer may take. Later than that nobody knows."
    )
    at_most: Annotated[Duration, at_least(1)] = Field(
        default=14_400.0, description="How long the sleep waits at most. Then it goes on all the same."
    )
    unknown_at_most: Duration = Field(
        default=600.0,
        description="How long the sleep waits while the question fails and nobody can tell.",
    )

    @property
    def rule(self) -> BusyRule:
        """What the core needs to know."""
        return BusyRule(every=self.every, at_most=self.at_most, unknown_at_most=self.unknown_at_most)

    @model_validator(mode="before")
    @classmethod
    def _path_alone(cls, value: Any) -> Any:
        """``http: /path`` is short for a path whose answer 2xx means busy."""
        if isinstance(value, Mapping) and isinstance(value.get("http"), str):
            return {**value, "http": {"path": value["http"]}}
        return value

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if all(getattr(self, kind) is None for kind in KINDS):
            error = wrong("nothing says what means busy", "write one of http, command, cpu and gpu")
            raise all_of([((), error, None)])
        return self


def busy_complaints(service: ServiceConfig, providers: Mapping[str, type[BaseModel]]) -> list[Complaint]:
    """What this service, run like that, cannot be asked."""
    busy = service.busy
    if busy is None:
        return []
    about = (("run",), ("schedule",))
    if service.is_job:
        hint = "leave busy out: a job is at work until it has ended"
        return [(("busy",), wrong("busy has no use for a job (until: done)", hint, about=about), None)]
    if busy.cpu is None or service.run.measures_cpu:
        return []
    able = sorted(name for name, model in providers.items() if getattr(model, "measures_cpu", False))
    error = wrong(
        f"{service.run.provider} cannot tell how much CPU the service uses",
        f"write http, command or gpu in its place; {', '.join(able)} can"
        if able
        else "write http or command",
        about=about,
    )
    return [(("busy", "cpu"), error, None)]
