"""What poorwill.yaml may say: every key with its meaning and its default.

The reference documentation and the JSON Schema are made from the descriptions here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    PrivateAttr,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from poorwill.config.address import Address
from poorwill.config.claims import complaints
from poorwill.config.complaint import all_of, expected, wrong
from poorwill.config.jobs import job_complaints
from poorwill.config.machine import MachineConfig
from poorwill.config.names import HostNames, PathPrefix, Pattern, RequestPath, ServiceName
from poorwill.config.relations import relation_complaints
from poorwill.config.run import RunSection, context
from poorwill.config.schedule import Schedule, timetable
from poorwill.config.status import StatusRanges
from poorwill.config.units import Duration, HostPort, ListenAddress, at_least
from poorwill.config.zone import TimeZone, system_timezone
from poorwill.core.model import OnRequest, Service
from poorwill.core.schedule import Timetable

_MODEL = ConfigDict(frozen=True, extra="forbid")


def _folder(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value).strip():
        raise expected("a folder such as ./poorwill-state")
    return context(info).base / Path(value).expanduser()


def _header(value: str) -> str:
    if not value.isprintable():
        raise expected("a header in one line")
    return value


def _header_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value):
        raise expected("a header name such as Authorization")
    return value


Folder = Annotated[
    Path, PlainValidator(_folder), PlainSerializer(str, when_used="json"), WithJsonSchema({"type": "string"})
]
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


class ServiceConfig(BaseModel):
    """One service: where visitors find it, where it runs, when it sleeps."""

    model_config = _MODEL

    hosts: HostNames = Field(
        default=(),
        description="Host names visitors use; *.example.com covers every name below it. With one service and "
        "neither hosts nor path, everything goes to it.",
    )
    path: PathPrefix | None = Field(
        default=None, description="Path prefix visitors use, such as /notes. Alone, or together with hosts."
    )
    strip_path: bool = Field(
        default=False, description="Take the path prefix off before the service sees the request."
    )
    run: RunSection = Field(
        description="Where the service runs: a provider and its options, such as "
        "process: {command: [python3, app.py]}. Leave it out beside on: when the machine starts it by itself."
    )
    on: str | None = Field(
        default=None, description="The machine (see machines) it lives on, which wakes first and sleeps last."
    )
    needs: tuple[ServiceName, ...] = Field(
        default=(), description="Other services that must be awake before this one, and stay so."
    )
    address: Address | None = Field(
        default=None,
        description="Where the service answers: host:port, https://host, tunnel:port, or with what the place "
        "says in braces, such as {host}:7860. Leave it out when the command contains {port}, "
        "or when the published port of a container tells.",
    )
    protocol: Literal["http1", "http2"] = Field(
        default="http1", description="How Poorwill talks to the service; http2 is for gRPC."
    )
    ready: Ready = Field(
        default_factory=Ready,
        description="How to find out that the service can really answer, after a start.",
    )
    warmup: tuple[RequestPath, ...] = Field(
        default=(), description="Paths asked once after each start, before the first visitor is let in."
    )
    idle_after: Annotated[Duration, at_least(1)] = Field(
        default=600.0, description="How long nobody needs the service before it is put to sleep."
    )
    hold: Duration = Field(
        default=90.0,
        description="How long a request waits for a sleeping service before the answer is 503.",
    )
    on_request: Literal["wake", "page", "closed"] = Field(
        default="wake",
        description="What a visit does while the service sleeps. wake: it wakes the service. page: a page "
        "asks, and only a person's click wakes it. closed: it wakes nothing, and a page tells when it opens.",
    )
    drain: Duration = Field(
        default=30.0, description="How long open but silent streams may delay the sleep before they are cut."
    )
    traffic: Traffic = Field(
        default_factory=Traffic, description="Which requests keep the service awake, and which do not."
    )
    schedule: Schedule = Field(
        default=(),
        description="When the service is awake by itself, or when a job runs: hours such as "
        "Mon-Fri 09:00-18:00, or a list of entries.",
    )
    timezone: TimeZone | None = Field(
        default=None, description="IANA name of the time zone of the schedule. Default: the file's timezone."
    )

    _name: str = PrivateAttr(default="")
    _zone: str = PrivateAttr(default="UTC")
    _timetable: Timetable | None = PrivateAttr(default=None)

    @property
    def name(self) -> str:
        """The key below ``services``; empty for a service outside Settings."""
        return self._name

    @property
    def zone(self) -> str:
        """The time zone of its hours."""
        return self._zone

    @property
    def is_job(self) -> bool:
        """Whether nobody visits it: it only runs at its hours until it is done."""
        return bool(self.schedule) and all(entry.until == "done" for entry in self.schedule)

    @property
    def timetable(self) -> Timetable | None:
        """The schedule in its time zone; None when there is none."""
        return self._timetable

    @property
    def fixed_address(self) -> HostPort | None:
        """Host and port that this service has for itself and that are known beforehand."""
        address = self.address
        return None if address is None or address.host else address.fixed

    def be_called(self, name: str, zone: str) -> None:
        """For Settings, which alone knows the name, and the zone of the file."""
        self._name, self._zone = name, self.timezone or zone
        self._timetable = timetable(self.schedule, self._zone)

    def rules(self, settle: float) -> Service:
        """What the core needs to know; ``settle`` is the provider's, in seconds."""
        return Service(
            name=self._name,
            idle_after=self.idle_after,
            drain=self.drain,
            start_timeout=self.ready.timeout,
            settle=settle,
            keepalive_bytes=self.traffic.keepalive_bytes,
            on_request=OnRequest(self.on_request),
            timetable=self.timetable,
            job=self.is_job,
        )

    @model_validator(mode="before")
    @classmethod
    def _run_by_its_machine(cls, value: Any) -> Any:
        """Without ``run``, a service on a machine comes and goes with it."""
        if isinstance(value, dict) and value.get("on") is not None and "run" not in value:
            return {**value, "run": {"machine": {}}}
        return value

    @model_validator(mode="after")
    def _patterns_below_path(self) -> Self:
        """A pattern elsewhere would take requests that are meant for another service on the same host."""
        if self.path and not self.strip_path:
            found = []
            for kind, patterns in self.traffic.patterns.items():
                for index, pattern in enumerate(patterns):
                    path = pattern.rpartition(" ")[2]
                    if path != self.path and not path.startswith(f"{self.path}/"):
                        hint = f"the service sees its path too: {self.path}{path}"
                        error = wrong(f"{path} is not below path: {self.path}", hint)
                        found.append((("traffic", kind, index), error, pattern))
            if found:
                raise all_of(found)
        return self

    @model_validator(mode="after")
    def _a_job_has_no_visitors(self, info: ValidationInfo) -> Self:
        found = job_complaints(self, context(info).providers) if self.is_job else []
        if found:
            raise all_of(found)
        return self

    @model_validator(mode="after")
    def _address_known_once(self) -> Self:
        about = (("run",), ("schedule",))
        if self.is_job:
            return self
        if self.address is None and not (self.run.gives_address or self.run.may_give_address):
            error = wrong("missing", "say where the service answers: address: 127.0.0.1:9100", about=about)
        elif self.address is not None and self.run.gives_address:
            error = wrong(
                "address has no use here: with {port} in the command Poorwill chooses the port",
                "leave address out, or write the port into the command",
                about=about,
            )
        else:
            return self
        raise all_of([(("address",), error, None)])


class Settings(BaseModel):
    """The whole of poorwill.yaml."""

    model_config = _MODEL

    listen: ListenAddress = Field(
        default=HostPort("127.0.0.1", 8080),
        description="Where visitors come in. 0.0.0.0:80 opens the door to the whole network.",
    )
    admin: ListenAddress = Field(
        default=HostPort("127.0.0.1", 8081), description="Where the admin API listens."
    )
    state: Folder = Field(
        default=Path("poorwill-state"),
        validate_default=True,
        description="Folder for the journal, logs and Envoy's files. Relative to the folder of this file.",
    )
    timezone: TimeZone = Field(
        default_factory=system_timezone,
        description="IANA name of the time zone of the times shown. Default: this machine's.",
    )
    services: dict[ServiceName, ServiceConfig] = Field(description="The services, each under its name.")
    machines: dict[ServiceName, MachineConfig] = Field(
        default_factory=dict,
        description="Machines that are rented and switched on and off as a whole, each under its name.",
    )

    def model_post_init(self, _context: Any) -> None:
        for name, service in self.services.items():
            service.be_called(name, self.timezone)
        for name, machine in self.machines.items():
            machine.be_called(name, self.timezone)

    @property
    def visited(self) -> dict[str, ServiceConfig]:
        """The services that have a door: no jobs, and nothing that says no hosts and only serves others."""
        needed = {need for service in self.services.values() for need in service.needs}
        return {
            name: service
            for name, service in self.services.items()
            if not service.is_job and (service.hosts or service.path is not None or name not in needed)
        }

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if not self.services:
            error = wrong("there is no service", "poorwill init writes an example")
            raise all_of([(("services",), error, self.services)])
        doors = {"listen": self.listen, "admin": self.admin}
        if "admin" not in self.model_fields_set:
            doors = dict(reversed(doors.items()))
        apart = {name: service for name, service in self.services.items() if not service.is_job}
        addresses = {name: service.fixed_address for name, service in apart.items()}
        claims = {name: (service.hosts, service.path) for name, service in self.visited.items()}
        found = complaints(doors, addresses, claims) + relation_complaints(self.services, self.machines)
        if found:
            raise all_of(found)
        return self
