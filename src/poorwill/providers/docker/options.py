"""What a user may write below ``run: docker:`` and ``run: compose:``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from poorwill.config.complaint import all_of, expected, wrong
from poorwill.config.units import Duration
from poorwill.providers.instances import filled, tells_apart

_MODEL = ConfigDict(frozen=True, extra="forbid")
_SCHEMES = ("unix", "ssh", "tcp")


def _engine(value: str) -> str:
    parts = urlsplit(value)
    good = parts.scheme in _SCHEMES and (parts.path if parts.scheme == "unix" else parts.hostname)
    if not good:
        raise expected("an engine such as unix:///var/run/docker.sock, ssh://user@host or tcp://host:2376")
    return value


def _label(value: str) -> str:
    if not re.fullmatch(r"[^=\s]+=.+", value):
        raise expected('a label such as "com.example.service=web"')
    return value


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}},
            ]
        }
    ),
]


class Tls(BaseModel):
    """Files for an engine that listens on TCP: whom to trust and who we are."""

    model_config = _MODEL

    ca: Path = Field(description="Certificate of the authority that signed the engine's certificate.")
    cert: Path = Field(description="Our certificate.")
    key: Path = Field(description="The key of our certificate.")


def _at(engine: str | None) -> str:
    return f" at {engine}" if engine else ""


class Common(BaseModel):
    """What containers and Compose projects have in common."""

    model_config = _MODEL

    stop: Literal["stop", "pause", "kill"] = Field(
        default="stop",
        description="How it is put to sleep. stop: asked to end, killed after stop_timeout. kill: ended at "
        "once. pause: frozen where it is; it wakes in milliseconds, and keeps its memory and its GPU memory.",
    )
    stop_timeout: Duration | None = Field(
        default=None,
        description="How long a container may take to end before it is killed. Default: what the container "
        "itself says, else 10s.",
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="The port inside the container that visitors' requests go to. Needed when the container "
        "has several.",
    )
    engine: Annotated[str, AfterValidator(_engine)] | None = Field(
        default=None,
        description="The Docker Engine: unix:///path, ssh://user@host or tcp://host:2376. Default: what the "
        "docker command uses (DOCKER_HOST, the current context, the local socket). On a machine it is a "
        "socket there.",
    )
    tls: Tls | None = Field(default=None, description="Certificates for an engine at tcp://.")

    @property
    def on_machine(self) -> bool:
        """Whether a service that runs like this can live on a machine: on its own engine only."""
        return self.engine is None or urlsplit(self.engine).scheme == "unix"

    @property
    def may_give_address(self) -> bool:
        """An address may be left out: the published port says where an instance answers."""
        return True

    @property
    def measures_cpu(self) -> bool:
        return True

    @property
    def gives_exit_code(self) -> bool:
        return True

    @model_validator(mode="after")
    def _tls_fits(self) -> Self:
        if self.tls is not None and not (self.engine or "").startswith("tcp://"):
            error = wrong("tls has no use without an engine at tcp://", "write engine: tcp://host:2376")
            raise all_of([(("tls",), error, None)])
        return self


class ContainerOptions(Common):
    """One container that exists already, found by its name or by a label.

    A container that is removed and created anew under the same name (or label) is the same instance. Further
    instances are copies of it, which are made when they are needed, or the containers that a name with
    ``{number}`` stands for.
    """

    container: str | None = Field(default=None, min_length=1, description="The container's name.")
    label: Annotated[str, AfterValidator(_label)] | None = Field(
        default=None, description="Instead of a name: a label that only this container carries, key=value."
    )

    @property
    def several(self) -> str:
        """Why there cannot be several instances; empty when they can be told apart, or made."""
        if self.container or tells_apart([self.label or ""]):
            return ""
        return (
            f"{self.label} is the label of one container: create several, with values that end with -1, -2 "
            'and so on, and write label: "com.example.role=chat-{number}"; or write container: NAME'
        )

    @property
    def owns(self) -> str:
        which = self.container or self.label or ""
        return "" if tells_apart([which]) else f"the container {which}{_at(self.engine)}"

    @model_validator(mode="after")
    def _one_way_to_find_it(self) -> Self:
        if (self.container is None) == (self.label is None):
            error = wrong("say which container: its name or a label of it", "write container: NAME")
            raise all_of([(("container",), error, None)])
        return self


class ComposeOptions(Common):
    """All containers of a Compose project. They are started and stopped in the order of ``depends_on``."""

    file: Names = Field(
        default=("docker-compose.yml",),
        description="The Compose file, or a list of files as with docker compose -f.",
    )
    service: str = Field(min_length=1, description="The service of the project that visitors reach.")
    project: str | None = Field(
        default=None,
        min_length=1,
        description="The project's name. Default: as docker compose would name it.",
    )
    env_file: Names = Field(
        default=(), description="Files with variables, as with docker compose --env-file."
    )
    profiles: Names = Field(default=(), description="Profiles to enable, as with docker compose --profile.")
    keep: Names = Field(
        default=(), description="Services of the project that stay up while it sleeps, such as a database."
    )

    @property
    def several(self) -> str:
        """Each is a container of ``service``, or a project of its own."""
        return ""

    @property
    def owns(self) -> str:
        which = self.project or " and ".join(self.file)
        return "" if tells_apart([which]) else f"the project {which}{_at(self.engine)}"

    @model_validator(mode="after")
    def _the_visited_one_sleeps(self) -> Self:
        if self.service in self.keep:
            error = wrong(f"{self.service} is what visitors reach: it cannot stay up", "take it off the list")
            raise all_of([(("keep",), error, None)])
        if self.project and not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", filled(self.project, "s-1")):
            error = expected("a project name of small letters, digits, - and _")
            raise all_of([(("project",), error, self.project)])
        return self
