"""What a service does about those who look at it without wanting it, and how often requests may wake it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from poorwill.config.complaint import expected
from poorwill.config.names import Pattern
from poorwill.config.units import parse_duration
from poorwill.core.allowance import MOST, Rate
from poorwill.core.duration import duration_text

_MODEL = ConfigDict(frozen=True, extra="forbid")


def parse_rate(value: object) -> Rate:
    """``10/h``, ``3/30m``, ``100/d``."""
    what = "a number of times within a duration, such as 10/h or 3/30m"
    if isinstance(value, Rate):
        return value
    match = re.fullmatch(r"(\d{1,6}) ?/ ?(\S+)", str(value).strip(), re.ASCII)
    if match is None or isinstance(value, bool):
        raise expected(what)
    count, span = int(match[1]), match[2]
    seconds = parse_duration(f"1{span}" if span in ("s", "m", "h", "d") else span)
    if not 1 <= count <= MOST:
        raise expected(f"a number from 1 to {MOST} in front of the /")
    if not 1 <= seconds <= 31 * 86_400:
        raise expected("a duration from 1s to 31d behind the /")
    return Rate(count, seconds)


def rate_text(rate: Rate | None) -> str | None:
    return None if rate is None else f"{rate.count}/{duration_text(rate.seconds)}"


RateLimit = Annotated[
    Rate,
    PlainValidator(parse_rate),
    PlainSerializer(rate_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+ ?/ ?[0-9a-z.]+$", "examples": ["10/h", "3/30m"]}),
]


def _part(value: object) -> object:
    if not isinstance(value, str) or not 3 <= len(value.strip()) <= 200 or not value.isprintable():
        raise expected("a part of a User-Agent header, such as MyMonitor/, of at least 3 letters")
    return value.strip()


def _path(value: object) -> object:
    if isinstance(value, str) and not value.strip().startswith("/"):
        raise expected("a path such as /old-admin/**", "begin it with a slash")
    return value


def _part_or_path(value: object) -> object:
    return value if isinstance(value, str) and value.startswith("/") else _part(value)


Agent = Annotated[str, BeforeValidator(_part)]
Parts = tuple[Agent, ...]
Paths = tuple[Annotated[Pattern, BeforeValidator(_path)], ...]
Choice = Literal["unavailable", "wake"]
MonitorChoice = Literal["asleep", "unavailable", "wake"]


class Also(BaseModel):
    """Additions to Poorwill's own lists."""

    model_config = _MODEL

    health_checks: Parts = Field(default=(), description="Parts of User-Agent headers of health checks.")
    monitors: Parts = Field(default=(), description="Parts of User-Agent headers of monitors.")
    crawlers: Parts = Field(default=(), description="Parts of User-Agent headers of crawlers.")
    scanners: Parts = Field(default=(), description="Parts of User-Agent headers of scanners.")
    nuisance: Paths = Field(default=(), description="Paths, with * and ** as in traffic patterns.")


class BystanderConfig(BaseModel):
    """Who never wakes the service and never keeps it awake, and what they are told while it sleeps."""

    model_config = _MODEL

    monitors: MonitorChoice = Field(
        default="asleep",
        description="Uptime monitors. asleep: 200, as long as nothing is wrong with the service. "
        "unavailable: 503. wake: they are like anybody and wake it.",
    )
    health_checks: MonitorChoice = Field(
        default="asleep", description="Health checks of load balancers and Kubernetes; as for monitors."
    )
    crawlers: Choice = Field(
        default="unavailable",
        description="Search engines and other crawlers. unavailable: 503. wake: like anybody.",
    )
    scanners: Choice = Field(
        default="unavailable",
        description="Programs that look for open ports and weaknesses; as for crawlers.",
    )
    nuisance: Choice = Field(
        default="unavailable",
        description="Paths that browsers and scanners ask for by themselves, such as /favicon.ico and /.env; "
        "as for crawlers.",
    )
    also: Also = Field(default_factory=Also, description="What to add to Poorwill's own lists.")
    welcome: tuple[Annotated[str, BeforeValidator(_part_or_path)], ...] = Field(
        default=(),
        description="Exceptions: parts of User-Agent headers, and paths, that are like anybody whatever the "
        "lists say.",
    )

    @property
    def also_listed(self) -> dict[str, tuple[str, ...]]:
        """Kind → what is added to the list of it."""
        return {name: getattr(self.also, name) for name in Also.model_fields}

    @property
    def answers(self) -> dict[str, str]:
        """Kind → what it is told."""
        return {name: getattr(self, name) for name in Also.model_fields}
