"""What a configuration means, in words: for ``check``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from poorwill.advisor.gpus import priced
from poorwill.cli.budgets import described
from poorwill.cli.gpu import needs
from poorwill.cli.week import week
from poorwill.config import MachineConfig, ServiceConfig, Settings, format_duration
from poorwill.config.bounds import all_budgets
from poorwill.config.exchange import rate_warnings
from poorwill.control.terms import price_of
from poorwill.core.agenda import agenda, warnings
from poorwill.core.localtime import day_of
from poorwill.core.metric_text import count_text
from poorwill.core.money import price_text
from poorwill.core.schedule import Timetable

_ON_REQUEST = {
    "wake": "wakes at the first request",
    "page": "wakes when a person clicks on its page",
    "closed": "requests do not wake it",
}


def describe(settings: Settings, now: float) -> Iterator[str]:
    """Line by line; ``now`` in seconds since the epoch, for what will happen in the next 7 days."""
    own = all_budgets(settings)
    today = day_of(now, settings.timezone)
    yield from (f"warning: {line}" for line in rate_warnings(settings.exchange_rates, today))
    for name, service in settings.services.items():
        yield ""
        if service.is_job:
            yield f"{name}: a job; nobody visits it"
            yield _place(service)
        elif name in settings.visited:
            yield f"{name}: {', '.join(_where(service, settings))}"
            yield _place(service)
            yield from _visits(service)
        else:
            others = [other for other, one in settings.services.items() if name in one.needs]
            yield f"{name}: for {', '.join(others)} only; nobody visits it"
            yield _place(service)
        if service.share is not None:
            yield f"  uses {needs(service.share)}"
        if service.needs:
            yield f"  wakes {', '.join(service.needs)} first"
        yield from _price(service, settings)
        woken = not service.is_job and service.on_request != "closed"
        yield from _indented(described(own[name], _most(service), woken=woken))
        yield from _week(service.timetable, now)
    for machine in settings.machines.values():
        yield ""
        yield from _machine(machine, settings, now)
        yield from _indented(described(own[machine.name]))
    if own[""]:
        yield ""
        yield "everything together:"
        yield from _indented(described(own[""], sum(map(_most, settings.services.values()))))


def _indented(lines: Iterable[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines)


def _most(service: ServiceConfig) -> int:
    """How many instances of it there may be."""
    return service.scale_policy.max_instances if service.scale_policy else 1


def _where(service: ServiceConfig, settings: Settings) -> list[str]:
    hosts = [f"http://{host}:{settings.listen.port}{service.path or ''}" for host in service.hosts]
    return hosts or [f"every host below {service.path}" if service.path else "every host"]


def _price(tenant: ServiceConfig | MachineConfig, settings: Settings) -> Iterator[str]:
    price, trouble = price_of(tenant, settings.currency or "", priced)
    if price is not None:
        yield f"  costs {price_text(price)}"
    elif trouble:
        yield f"  warning: {trouble}"


def _place(service: ServiceConfig) -> str:
    if service.run.provider == "machine":
        return f"  started by its machine {service.on}"
    return f"  runs as: {service.run.provider}" + (f", on {service.on}" if service.on else "")


def _visits(service: ServiceConfig) -> Iterator[str]:
    if service.auth is not None:
        kinds = (("password", service.auth.users), ("key", service.auth.keys))
        asked = " or ".join(f"the {kind} of {', '.join(names)}" for kind, names in kinds if names)
        also = f"; open to all: {', '.join(service.auth.open)}" if service.auth.open else ""
        yield f"  needs {asked}{also}"
    policy = service.scale_policy
    least, most = (policy.min_instances, policy.max_instances) if policy else (0, 1)
    if least:
        yield f"  always awake, with at least {count_text(least)}"
    else:
        yield from _sleeps(service)
    if least or service.on_request != "closed":
        yield f"  a request waits up to {format_duration(service.hold)} for a start"
    if most > 1:
        yield f"  {max(1, least)} to {most} instances while it is awake"


def _sleeps(service: ServiceConfig) -> Iterator[str]:
    table = service.timetable
    outside = "outside its hours: " if table is not None and table.has_windows else ""
    yield f"  {outside}{_ON_REQUEST[service.on_request]}"
    if service.on_request != "closed":
        yield f"  {outside}sleeps after {format_duration(service.sleeps_after)} without activity"
    elif table is None:
        yield "  warning: nothing but `poorwill wake` wakes it: it has no schedule"


def _machine(machine: MachineConfig, settings: Settings, now: float) -> Iterator[str]:
    name = machine.name
    tenants = [other for other, one in settings.services.items() if one.on == name]
    yield f"{name}: a machine" + (f" for {', '.join(tenants)}" if tenants else "; nothing is on it")
    yield f"  switched on and off by: {machine.run.provider}"
    yield f"  goes off {format_duration(machine.idle_after)} after nothing on it is wanted"
    yield from _price(machine, settings)
    yield from _week(machine.timetable, now)


def _week(timetable: Timetable | None, now: float) -> Iterator[str]:
    if timetable is None:
        return
    yield f"  the next 7 days ({timetable.zone}):"
    yield from (f"    {line}" for line in week(agenda(timetable, now)))
    yield from (f"  warning: {line}" for line in warnings(timetable, now))
