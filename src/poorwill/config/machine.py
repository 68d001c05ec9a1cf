"""A machine: what is rented and switched on and off as a whole, with one or several services on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from poorwill.config.gpu import GpuConfig, GpuKey
from poorwill.config.run import RunSection, context
from poorwill.config.schedule import Schedule
from poorwill.config.scheduled import Scheduled
from poorwill.config.ssh import SshAccess
from poorwill.config.units import Duration, at_least
from poorwill.config.zone import TimeZone
from poorwill.core.model import Service

_MODEL = ConfigDict(frozen=True, extra="forbid")


class MachineReady(BaseModel):
    """When a machine counts as there: it runs and, with ``ssh``, can be logged in to."""

    model_config = _MODEL

    timeout: Annotated[Duration, at_least(1)] = Field(
        default=600.0, description="How long a start may take until it counts as failed."
    )


class MachineConfig(Scheduled):
    """One machine. The provider stands beside the other keys: http: {cloud: autodl, ...}."""

    run: RunSection = Field(
        description="What switches it on and off: a provider beside the other keys, such as "
        "http: {cloud: autodl, instance: pro-0123456789}."
    )
    ssh: SshAccess | None = Field(
        default=None, description="How Poorwill logs in to run what lives on it, and for tunnels."
    )
    ready: MachineReady = Field(default_factory=MachineReady, description="When the machine counts as there.")
    idle_after: Duration = Field(
        default=300.0, description="How long it stays on when nothing on it is wanted any more."
    )
    adopt: bool = Field(
        default=False,
        description="Whether Poorwill may also stop what somebody else started. If not, that runs on until "
        "somebody says `poorwill adopt NAME`.",
    )
    gpus: dict[GpuKey, GpuConfig] = Field(
        default_factory=dict, description="Its GPUs, for services on it that share them."
    )
    schedule: Schedule = Field(
        default=(), description="Hours in which the machine is on whether anything on it is wanted or not."
    )
    timezone: TimeZone | None = Field(
        default=None, description="Time zone of the schedule. Default: that of the file."
    )

    def be_called(self, name: str, zone: str) -> None:
        """For Settings, which alone knows the name, and the zone of the file."""
        self._keep(name, self.timezone or zone, self.schedule)

    def rules(self, settle: float) -> Service:
        """What the core needs to know; ``settle`` is the provider's, in seconds."""
        return Service(
            name=self._name,
            idle_after=self.idle_after,
            start_timeout=self.ready.timeout,
            settle=settle,
            timetable=self._timetable,
            adopt=self.adopt,
            budgets=self.bounds,
        )

    @model_validator(mode="before")
    @classmethod
    def _provider_below_run(cls, value: Any, info: ValidationInfo) -> Any:
        """``http: {…}`` is what ``run: {http: {…}}`` is for a service."""
        if not isinstance(value, Mapping) or "run" in value:
            return value
        known = switches(context(info).providers)
        named = {key: options for key, options in value.items() if key in known}
        rest = {key: options for key, options in value.items() if key not in named}
        return {**rest, "run": named} if named else value


def switches(providers: Iterable[str]) -> list[str]:
    """Which providers can stand beside a machine's other keys: not one that is named like
    one of these, and not the one for what comes with a machine.
    """
    return [name for name in providers if name not in {*MachineConfig.model_fields, "machine"}]
