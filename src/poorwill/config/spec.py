"""What poorwill.yaml may say: every key with its meaning and its default.

The reference documentation and the JSON Schema are made from the descriptions here and in the modules of
its sections.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from poorwill.config.bounds import bounds, budget_complaints
from poorwill.config.budget import Budgets
from poorwill.config.claims import Complaint, complaints
from poorwill.config.complaint import all_of, expected, wrong
from poorwill.config.costs import CostConfig, ItemName, cost_complaints
from poorwill.config.currency import Currency
from poorwill.config.exchange import Rate, rate_complaints
from poorwill.config.gpu import GpuConfig, GpuKey
from poorwill.config.gpus import Cards, gpu_complaints
from poorwill.config.machine import MachineConfig
from poorwill.config.names import ServiceName
from poorwill.config.price import price_complaints
from poorwill.config.relations import relation_complaints
from poorwill.config.review import ReviewConfig
from poorwill.config.run import context
from poorwill.config.service import ServiceConfig
from poorwill.config.units import HostPort, ListenAddress
from poorwill.config.zone import TimeZone, system_timezone

_MODEL = ConfigDict(frozen=True, extra="forbid")


def _folder(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value).strip():
        raise expected("a folder such as ./poorwill-state")
    return context(info).base / Path(value).expanduser()


Folder = Annotated[
    Path, PlainValidator(_folder), PlainSerializer(str, when_used="json"), WithJsonSchema({"type": "string"})
]


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

    gpus: dict[GpuKey, GpuConfig] = Field(
        default_factory=dict,
        description="The GPUs of this host that services share (see gpu of a service): {0: {memory: 24GB}}. "
        "Where there is nvidia-smi, this may be left out.",
    )
    currency: Currency | None = Field(
        default=None, description="The currency of prices, costs and budgets that name none, such as CNY."
    )
    costs: dict[ItemName, CostConfig] = Field(
        default_factory=dict,
        description="What is paid whether anything is awake or not: {storage: {amount: 35, per: month}}.",
    )
    exchange_rates: dict[Currency, Rate] = Field(
        default_factory=dict,
        description="What other currencies are worth in that of the file. Without it they are shown apart.",
    )

    budget: Budgets = Field(
        default=(), description="How many hours or how much money everything together may take."
    )
    review: ReviewConfig = Field(
        default_factory=ReviewConfig, description="Whether each month is looked back on by itself."
    )

    def model_post_init(self, _context: Any) -> None:
        for name, service in self.services.items():
            service.be_called(name, self.timezone)
        for name, machine in self.machines.items():
            machine.be_called(name, self.timezone)
        binding = bounds(self)
        for tenant in (*self.services.values(), *self.machines.values()):
            tenant.is_bound_by(binding[tenant.name])

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
    def _fit_together(self, info: ValidationInfo) -> Self:
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
        spoken = self.currency or ""
        found += price_complaints(self.services, self.machines, spoken)
        found += [
            *cost_complaints(self.costs, self.services, spoken),
            *rate_complaints(self.exchange_rates, spoken),
            *budget_complaints(self),
        ]
        found += self._seat(Cards(self.gpus, self.machines, context(info).gpus))
        if found:
            raise all_of(found)
        return self

    def _seat(self, cards: Cards) -> list[Complaint]:
        """Tell each service what it has of which GPU; returns what does not fit."""
        shares = {name: share for name, one in self.services.items() if (share := cards.share(one))}
        for name, service in self.services.items():
            service.is_given(shares.get(name))
        return gpu_complaints(self.services, shares, cards)
