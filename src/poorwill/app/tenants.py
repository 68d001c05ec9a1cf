"""From a service, job or machine in the configuration to what the rooms need to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from poorwill import clock
from poorwill.app.shells import Shells
from poorwill.config import MachineConfig, Run, ServiceConfig, Settings
from poorwill.config.ssh import SshAccess
from poorwill.control import restore
from poorwill.control.busy_probe import BusyProbe
from poorwill.control.facts import Ask, Facts, Tenancy, Way
from poorwill.control.probe import Probe
from poorwill.control.seat import Seat, remembered
from poorwill.core.agenda import warnings
from poorwill.core.model import Service
from poorwill.core.share import Share
from poorwill.errors import StateError
from poorwill.providers.base import Provider, Shell, Surroundings
from poorwill.providers.registry import provider
from poorwill.providers.shell.local import LocalShell
from poorwill.providers.ssh import Tunnel
from poorwill.store.folder import StateFolder
from poorwill.store.journal import Kind, Restored

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Grounds:
    """What services are built on: the state folder, the folder of ``poorwill.yaml``, and how a provider
    asks for a fresh look at a service.
    """

    folder: StateFolder
    base: Path
    look: Callable[[str], None]
    note: Callable[[str, str], None]
    shells: Shells


Tenant = ServiceConfig | MachineConfig
"""What the control room has charge of, as the configuration says it."""


def tenants(settings: Settings) -> dict[str, Tenant]:
    """By name; machines first, since others live on them."""
    return {**settings.machines, **settings.services}


def settle_in(tenant: Tenant, grounds: Grounds) -> Provider:
    """A provider object for this tenant; it has not looked at anything yet."""
    address = tenant.address if isinstance(tenant, ServiceConfig) else None
    fixed = address.fixed if address else None
    known = (fixed.host, fixed.port) if fixed else None
    around = replace(
        _around(tenant.name, grounds),
        address=known,
        visited=tenancy(tenant) is Tenancy.SERVICE,
        instances=most(tenant),
    )
    return _provider(tenant.run, around, grounds, machine_of(tenant))


def remember(tenant: Tenant, grounds: Grounds) -> None:
    """Write down how it runs, so that it can be stopped even when it left the configuration."""
    run = tenant.run
    memory = {
        "provider": run.provider,
        "options": run.options.model_dump(mode="json"),
        "tenancy": str(tenancy(tenant)),
        "on": machine_of(tenant),
        "instances": most(tenant),
        "ssh": tenant.ssh.model_dump(mode="json")
        if isinstance(tenant, MachineConfig) and tenant.ssh
        else None,
    }
    if place := seat(tenant, grounds):
        memory["gpu"] = place.memory()
    grounds.folder.remember_run(tenant.name, memory)


def machine_of(tenant: Tenant) -> str:
    """What it lives on; empty when that is not a machine of the configuration."""
    return tenant.on or "" if isinstance(tenant, ServiceConfig) else ""


def most(tenant: Tenant) -> int:
    """How many instances there may be."""
    policy = tenant.scale_policy if isinstance(tenant, ServiceConfig) else None
    return policy.max_instances if policy else 1


def tenancy(tenant: Tenant) -> Tenancy:
    if isinstance(tenant, MachineConfig):
        return Tenancy.MACHINE
    return Tenancy.JOB if tenant.is_job else Tenancy.SERVICE


def _provider(run: Run, around: Surroundings, grounds: Grounds, machine: str) -> Provider:
    shell = grounds.shells.of(machine) if machine else None
    return provider(run.provider)(run.options, replace(around, shell=shell))


def _around(name: str, grounds: Grounds) -> Surroundings:
    return Surroundings(
        gateway=grounds.folder.gateway_id(),
        service=name,
        folder=grounds.folder.instances_of(name),
        base=grounds.base,
        changed=lambda: grounds.look(name),
        note=lambda words: grounds.note(name, words),
    )


def probe(tenant: Tenant, grounds: Grounds) -> Probe | Ask | None:
    """What shows that an instance of it can be used; None when it is enough that it runs."""
    if isinstance(tenant, MachineConfig):
        return grounds.shells.answers(tenant.name) if tenant.ssh else None
    if tenant.is_job:
        return None
    ready = tenant.ready
    return Probe(
        path=None if ready.tcp else ready.path,
        accepts=ready.accepts,
        headers=ready.headers,
        warmup=tenant.warmup,
        http2=tenant.protocol == "http2",
        tls=tenant.address.tls if tenant.address else None,
    )


def busy_probe(tenant: Tenant, grounds: Grounds) -> BusyProbe | None:
    """What sees work of it that no request shows."""
    if not isinstance(tenant, ServiceConfig) or tenant.busy is None:
        return None
    machine = machine_of(tenant)
    return BusyProbe(
        tenant.busy,
        shell=_shell(machine, grounds),
        folder="" if machine else str(grounds.base),
        tls=tenant.address.tls if tenant.address else None,
        http2=tenant.protocol == "http2",
    )


def seat(tenant: Tenant, grounds: Grounds) -> Seat | None:
    """Its place on GPUs that it shares with others."""
    share = tenant.share if isinstance(tenant, ServiceConfig) else None
    return None if share is None else _seat(share, machine_of(tenant), grounds)


def _seat(share: Share, machine: str, grounds: Grounds) -> Seat:
    """Where nobody can log in, nobody can be asked."""
    asks = not machine or grounds.shells.knows(machine)
    return Seat(share, _shell(machine, grounds) if asks else None)


def _shell(machine: str, grounds: Grounds) -> Shell:
    return grounds.shells.of(machine) if machine else LocalShell()


def tunnel(tenant: Tenant, grounds: Grounds) -> Way | None:
    """The way to a service that is only reached through its machine's SSH."""
    url = tenant.address.url if isinstance(tenant, ServiceConfig) and tenant.address else None
    if url is None or not url.tunnel:
        return None
    there = url.place()
    return _tunnel(tenant.name, machine_of(tenant), (there.host, there.port), grounds)


def _tunnel(name: str, machine: str, there: tuple[str, int], grounds: Grounds) -> Way:
    target = lambda: grounds.shells.target(machine)  # noqa: E731
    return Tunnel(_around(name, grounds), target, there, grounds.shells.folder(machine))


def charge(tenant: Tenant, restored: Restored, grounds: Grounds, *, has_door: bool) -> Facts:
    """Its facts at the start of this life, as the journal says; nothing was looked at yet."""
    now = clock.now()
    host = settle_in(tenant, grounds)
    rules = tenant.rules(host.settle)
    remember(tenant, grounds)
    for words in warnings(tenant.timetable, now.wall) if tenant.timetable else ():
        log.warning("schedule", service=tenant.name, what=words)
    facts = Facts(
        has_door=has_door,
        rules=rules,
        provider=host,
        probe=probe(tenant, grounds),
        places=restore.places(tenant.name, rules.most, restored, now),
        handles=restore.handles(restored),
        hand=restore.hand(restored.hand, now),
        plans=restore.plans(restored, now),
        owing=restore.owing(restored, now),
        wakes=restore.wakes(restored),
        woken=restore.woken(restored),
        tenancy=tenancy(tenant),
        zone=tenant.zone,
        machine=machine_of(tenant),
        tunnel=tunnel(tenant, grounds),
        last_run=restore.last_run(restored, now),
        watched_from=now.wall,
    )
    if isinstance(tenant, ServiceConfig):
        facts.address, facts.needs = tenant.address, tenant.needs
        facts.busy = busy_probe(tenant, grounds)
        facts.seat = seat(tenant, grounds)
    return facts


def leftover(name: str, restored: Restored, grounds: Grounds) -> Facts | None:
    """What left the configuration while nobody looked, if it may run still; else None.

    Raises PoorwillError when it cannot be taken over: what may be billed is not passed over in silence.
    """
    lives = restored.instances.values()
    if not any(
        past.intent or past.there or (past.outcome and past.outcome.kind in (Kind.READY, Kind.ADOPT))
        for past in lives
    ):
        return None
    memory = grounds.folder.remembered_run(name)
    try:
        options = provider(memory["provider"]).Options.model_validate(memory["options"])
        kind, machine = Tenancy(memory.get("tenancy", Tenancy.SERVICE)), memory.get("on", "")
        many = int(memory.get("instances", 1))
        share = remembered(memory["gpu"]) if memory.get("gpu") else None
        if memory.get("ssh"):
            grounds.shells.know_of(name, SshAccess.model_validate(memory["ssh"]))
    except (LookupError, TypeError, ValueError) as error:
        raise StateError(
            f"{name} is no longer in the configuration, may run still, and how it ran cannot be understood",
            hint=f"put {name} back into the configuration and start again",
        ) from error
    around = replace(_around(name, grounds), visited=kind is Tenancy.SERVICE, instances=many)
    now = clock.now()
    host = _provider(Run(memory["provider"], options), around, grounds, machine)
    return Facts(
        rules=Service(name, settle=host.settle, job=kind is Tenancy.JOB),
        provider=host,
        probe=None,
        places=restore.places(name, many, restored, now),
        owing=restore.owing(restored, now),
        handles=restore.handles(restored),
        tenancy=kind,
        has_door=kind is Tenancy.SERVICE,
        machine=machine,
        tunnel=_left_open(around, machine, grounds),
        seat=_seat(share, machine, grounds) if share else None,
    )


def _left_open(around: Surroundings, machine: str, grounds: Grounds) -> Way | None:
    """The tunnel of an earlier life, to be closed."""
    if not Tunnel.known(around.folder):
        return None
    return Tunnel(
        around, lambda: grounds.shells.target(machine), ("127.0.0.1", 0), grounds.shells.folder(machine)
    )
