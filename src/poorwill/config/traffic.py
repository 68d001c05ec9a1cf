"""What can be said about a service's readiness and about its requests."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from poorwill.config.complaint import all_of, expected, wrong
from poorwill.config.names import Pattern, RequestPath
from poorwill.config.status import StatusRanges
from poorwill.config.units import Duration, at_least

_MODEL = ConfigDict(frozen=True, extra="forbid")


def _header(value: str) -> str:
    if not value.isprintable():
        raise expected("a header in one line")
    return value


def _header_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value):
        raise expected("a header name such as Authorization")
    return value


Headers = dict[Annotated[str, AfterValidator(_header_name)], Annotated[str, AfterValidator(_header)]]


class Ready(BaseModel):
    """How Poorwill finds out that the service can really answer."""

    model_config = _MODEL

    path: RequestPath = Field(default="/", description="Path that is asked until it answers.")
    tcp: bool = Field(
        default=False, description="Only connect to the port and ask nothing, for services without HTTP."
    )
    status: StatusRanges = Field(
        default=((200, 399),),
        description="The status codes that mean ready: a code, a class such as 2xx, a range such as 200-299, "
        "or a list of these.",
    )
    timeout: Annotated[Duration, at_least(0.1)] = Field(
        default=120.0, description="How long a start may take until it counts as failed."
    )
    headers: Headers = Field(default_factory=dict, description="Headers sent with the question.")

    def accepts(self, status: int) -> bool:
        """Whether this status code means ready."""
        return any(low <= status <= high for low, high in self.status)

    @model_validator(mode="after")
    def _tcp_asks_nothing(self) -> Self:
        if self.tcp:
            also = [name for name in ("path", "status", "headers") if name in self.model_fields_set]
            if also:
                error = wrong(
                    f"{also[0]} has no use beside tcp: true", "leave one of them out", other=("tcp",)
                )
                raise all_of([((also[0],), error, None)])
        return self


class Traffic(BaseModel):
    """Which requests keep the service awake. The most specific pattern wins."""

    model_config = _MODEL

    active: tuple[Pattern, ...] = Field(
        default=(),
        description="Requests that keep the service awake while bytes move. Everything not listed is active, "
        "so this is for exceptions from the other two. Patterns are paths as the service sees them: /exact, "
        "/prefix/* (everything below), * (a part between slashes), ** (anything), with an optional method "
        "in front.",
    )
    background: tuple[Pattern, ...] = Field(
        default=(),
        description="Requests that never wake the service and never keep it awake, such as the heartbeat of "
        "an open tab.",
    )
    busy: tuple[Pattern, ...] = Field(
        default=(),
        description="Requests that keep the service awake as long as they are open, and are never cut, such "
        "as indexing.",
    )
    keepalive_bytes: int = Field(
        default=1024,
        ge=0,
        description="Bytes a minute that an open stream may move (pings) without counting as activity.",
    )

    @property
    def patterns(self) -> dict[str, tuple[str, ...]]:
        """Class of traffic → its patterns."""
        return {"active": self.active, "background": self.background, "busy": self.busy}

    @model_validator(mode="after")
    def _one_class_each(self) -> Self:
        first: dict[str, tuple[str, int]] = {}
        found = []
        for kind, patterns in self.patterns.items():
            for index, pattern in enumerate(patterns):
                taken = first.setdefault(pattern, (kind, index))
                if taken != (kind, index):
                    where = "twice" if taken[0] == kind else f"under {taken[0]} too"
                    error = wrong(f"{pattern} is listed {where}", "keep one of them", other=taken)
                    found.append(((kind, index), error, pattern))
        if found:
            raise all_of(found)
        return self
