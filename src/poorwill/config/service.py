"""One service in poorwill.yaml."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)

from poorwill.config.address import Address
from poorwill.config.auth import Auth
from poorwill.config.busy import Busy, busy_complaints
from poorwill.config.bystanders import BystanderConfig, RateLimit
from poorwill.config.complaint import all_of, wrong
from poorwill.config.concurrency import Concurrency
from poorwill.config.gpu import Gpu
from poorwill.config.jobs import job_complaints
from poorwill.config.names import HostNames, PathPrefix, RequestPath, ServiceName
from poorwill.config.run import RunSection, context
from poorwill.config.scale import ScalePolicySection
from poorwill.config.scale_checks import scale_complaints
from poorwill.config.schedule import Schedule
from poorwill.config.scheduled import Scheduled
from poorwill.config.source import Source
from poorwill.config.traffic import Ready, Traffic
from poorwill.config.units import Duration, HostPort, at_least
from poorwill.config.zone import TimeZone
from poorwill.core.model import OnRequest, Service
from poorwill.core.share import Share

_MODEL = ConfigDict(frozen=True, extra="forbid")


class ServiceConfig(Scheduled):
    """One service: where visitors find it, where it runs, when it sleeps."""

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
    max_held: Annotated[int, Field(ge=1)] = Field(
        default=5000,
        description="How many requests wait at most. Those beyond it are answered 503 at once, with the time "
        "to come again. Each needs memory while it waits, about 100 kB.",
    )
    concurrency: Concurrency | None = Field(
        default=None,
        description="How many requests one instance takes at a time; the others wait their turn. A number, "
        "or a number and the paths that count.",
    )
    scale_policy: ScalePolicySection | None = Field(
        default=None,
        description="More instances when there is much to do, fewer when there is little. Keys, or the name "
        "of a file with them, relative to this one. Default: one instance.",
    )
    sticky: bool = Field(
        default=False,
        description="With several instances: each visitor stays with the one that answered first, by a "
        "cookie. For apps that know their visitors only in memory, such as Gradio.",
    )
    on_request: Literal["wake", "page", "closed"] = Field(
        default="wake",
        description="What a visit does while the service sleeps. wake: it wakes the service. page: a page "
        "asks, and only a person's click wakes it. closed: it wakes nothing, and a page tells when it opens.",
    )
    adopt: bool = Field(
        default=False,
        description="Whether Poorwill may also stop what somebody else started. If not, that runs on until "
        "somebody says `poorwill adopt NAME`.",
    )
    auth: Auth | None = Field(
        default=None, description="Passwords and keys that visitors need, asleep and awake. Default: none."
    )
    drain: Duration = Field(
        default=30.0, description="How long open but silent streams may delay the sleep before they are cut."
    )
    max_wakes: RateLimit | None = Field(
        default=None,
        description="How often requests may wake the service, such as 10/h or 3/30m. People and the schedule "
        "always may. Default: no limit.",
    )
    max_wakes_per_client: RateLimit | None = Field(
        default=None, description="How often each client may wake the service; a client is an address."
    )
    bystanders: BystanderConfig = Field(
        default_factory=BystanderConfig,
        description="Monitors, crawlers, scanners and the like: they never wake the service and never keep "
        "it awake.",
    )
    traffic: Traffic = Field(
        default_factory=Traffic, description="Which requests keep the service awake, and which do not."
    )
    busy: Busy | None = Field(
        default=None,
        description="How to see work that no request shows, such as a long computation: the sleep waits.",
    )
    gpu: Gpu | None = Field(
        default=None,
        description="Which GPU it runs on. Services that name the same one share it: those that fit are "
        "awake together, the others take turns.",
    )
    schedule: Schedule = Field(
        default=(),
        description="When the service is awake by itself, or when a job runs: hours such as "
        "Mon-Fri 09:00-18:00, or a list of entries.",
    )
    timezone: TimeZone | None = Field(
        default=None, description="IANA name of the time zone of the schedule. Default: the file's timezone."
    )

    _share: Share | None = PrivateAttr(default=None)

    @property
    def share(self) -> Share | None:
        """What one instance needs of which GPU; None outside Settings, too."""
        return self._share

    def is_given(self, share: Share | None) -> None:
        """For Settings, which alone knows how much memory the GPUs have."""
        self._share = share

    @property
    def is_job(self) -> bool:
        """Whether nobody visits it: it only runs at its hours until it is done."""
        return bool(self.schedule) and all(entry.until == "done" for entry in self.schedule)

    @property
    def fixed_address(self) -> HostPort | None:
        """Host and port that this service has for itself and that are known beforehand."""
        address = self.address
        return None if address is None or address.host else address.fixed

    @property
    def sleeps_after(self) -> float:
        """How long nobody needs it before it sleeps. A rule that removes the last instance says it, too."""
        said = None if "idle_after" in self.model_fields_set else self.scale_policy
        return self.idle_after if said is None else said.last_goes_after or self.idle_after

    def sources(self) -> tuple[Source, ...]:
        """The numbers of the user's own that the rules of its scale policy look at."""
        return self.scale_policy.sources if self.scale_policy else ()

    def be_called(self, name: str, zone: str) -> None:
        """For Settings, which alone knows the name, and the zone of the file."""
        self._keep(name, self.timezone or zone, self.schedule)

    def rules(self, settle: float) -> Service:
        """What the core needs to know; ``settle`` is the provider's, in seconds."""
        slots = self.concurrency.limit if self.concurrency else None
        return Service(
            name=self._name,
            idle_after=self.sleeps_after,
            drain=self.drain,
            start_timeout=self.ready.timeout,
            settle=settle,
            keepalive_bytes=self.traffic.keepalive_bytes,
            on_request=OnRequest(self.on_request),
            timetable=self.timetable,
            job=self.is_job,
            busy=self.busy.rule if self.busy else None,
            adopt=self.adopt,
            max_wakes=self.max_wakes,
            max_wakes_per_client=self.max_wakes_per_client,
            scale=self.scale_policy.policy(slots) if self.scale_policy else None,
            sticky=self.sticky,
            budgets=self.bounds,
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
            listed: dict[tuple[str, str], tuple[str, ...]] = {
                ("traffic", kind): patterns for kind, patterns in self.traffic.patterns.items()
            }
            listed["concurrency", "paths"] = self.concurrency.paths if self.concurrency else ()
            for where, patterns in listed.items():
                for index, pattern in enumerate(patterns):
                    path = pattern.rpartition(" ")[2]
                    if path != self.path and not path.startswith(f"{self.path}/"):
                        hint = f"the service sees its path too: {self.path}{path}"
                        error = wrong(f"{path} is not below path: {self.path}", hint)
                        found.append(((*where, index), error, pattern))
            if found:
                raise all_of(found)
        return self

    @model_validator(mode="after")
    def _background_needs_no_slot(self) -> Self:
        background = self.traffic.background
        found = []
        for index, pattern in enumerate(self.concurrency.paths if self.concurrency else ()):
            if pattern in background:
                error = wrong(
                    f"{pattern} is background traffic, which never counts",
                    "keep it in one of the two",
                    other=("traffic", "background", background.index(pattern)),
                )
                found.append((("concurrency", "paths", index), error, pattern))
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
    def _busy_can_be_seen(self, info: ValidationInfo) -> Self:
        found = busy_complaints(self, context(info).providers)
        if found:
            raise all_of(found)
        return self

    @model_validator(mode="after")
    def _scales_as_it_can(self) -> Self:
        found = list(scale_complaints(self))
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
