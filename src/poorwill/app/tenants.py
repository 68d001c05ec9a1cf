"""From a service in the configuration to what the rooms need to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from poorwill import clock
from poorwill.config import ServiceConfig, Settings
from poorwill.control import restore
from poorwill.control.facts import Facts, Place
from poorwill.control.probe import Probe
from poorwill.core.model import Now, OnRequest, Service
from poorwill.errors import StateError
from poorwill.gateway import pages
from poorwill.gateway.clusters import Upstream
from poorwill.gateway.doors import Door
from poorwill.gateway.routes import Site, Stray
from poorwill.providers.base import Provider, Surroundings
from poorwill.providers.registry import provider
from poorwill.store.folder import StateFolder
from poorwill.store.journal import Kind, Restored, RestoredInstance


@dataclass(frozen=True, slots=True)
class Grounds:
    """What services are built on: the state folder, the folder of ``poorwill.yaml``, and how a provider
    asks for a fresh look at a service.
    """

    folder: StateFolder
    base: Path
    look: Callable[[str], None]


def sites(settings: Settings) -> dict[str, Site]:
    return {
        name: Site(
            name,
            service.hosts,
            service.path or "",
            service.strip_path,
            service.traffic.patterns,
            service.hold,
        )
        for name, service in settings.services.items()
    }


def upstreams(settings: Settings) -> dict[str, Upstream]:
    return {
        name: Upstream(service.protocol == "http2", service.address.tls if service.address else None)
        for name, service in settings.services.items()
    }


def door(service: ServiceConfig, nudge: Callable[[str], None]) -> Door:
    """Its door, at which nobody asks in vain before the first decision says whether it is in its hours."""
    known = OnRequest.WAKE if service.on_request == "wake" else None
    return Door(service.name, service.hold, nudge, entrance=known)


def resume(door: Door, service: ServiceConfig, restored: Restored) -> None:
    """A start that somebody clicked for goes on in this life; those who were held for it are held again."""
    past = [instance.intent for instance in restored.instances.values()]
    if service.on_request == "page" and any(intent and intent.kind is Kind.START for intent in past):
        door.click(clock.now().mono)


def stray() -> Stray:
    """What requests for an unknown host are answered."""
    return Stray(
        pages={language: pages.notice_page("not_found", "", language) for language in ("en", "zh")},
        other=pages.api_error("not_found", "", "en"),
    )


def settle_in(service: ServiceConfig, grounds: Grounds) -> Provider:
    """A provider object for this service; it has not looked at anything yet."""
    fixed = service.address.fixed if service.address else None
    known = (fixed.host, fixed.port) if fixed else None
    return _provider(service.name, service.run.provider, service.run.options, grounds, known)


def remember(service: ServiceConfig, grounds: Grounds) -> None:
    """Write down how the service runs, so that it can be stopped even when it left the configuration."""
    run = service.run
    memory = {"provider": run.provider, "options": run.options.model_dump(mode="json")}
    grounds.folder.remember_run(service.name, memory)


def _provider(
    service: str,
    name: str,
    options: BaseModel,
    grounds: Grounds,
    address: tuple[str, int] | None = None,
) -> Provider:
    around = Surroundings(
        gateway=grounds.folder.gateway_id(),
        service=service,
        folder=grounds.folder.instances_of(service),
        base=grounds.base,
        changed=lambda: grounds.look(service),
        address=address,
    )
    return provider(name)(options, around)


def probe(service: ServiceConfig) -> Probe:
    ready = service.ready
    return Probe(
        path=None if ready.tcp else ready.path,
        accepts=ready.accepts,
        headers=ready.headers,
        warmup=service.warmup,
        http2=service.protocol == "http2",
        tls=service.address.tls if service.address else None,
    )


def charge(service: ServiceConfig, restored: Restored, grounds: Grounds) -> Facts:
    """The facts of a service at the start of this life, as the journal says; nothing was looked at yet."""
    now = clock.now()
    host = settle_in(service, grounds)
    remember(service, grounds)
    return Facts(
        rules=service.rules(host.settle),
        provider=host,
        probe=probe(service),
        places=_places(service.name, restored, now),
        handles=restore.handles(restored),
        address=service.address,
        hand=restore.hand(restored.hand, now),
        failures=restore.failures(restored, now),
        wakes=restore.wakes(restored),
    )


def leftover(name: str, restored: Restored, grounds: Grounds) -> Facts | None:
    """A service that left the configuration while nobody looked, if it may run still; else None.

    Raises PoorwillError when it cannot be taken over: what may be billed is not passed over in silence.
    """
    lives = restored.instances.values()
    if not any(past.intent or (past.outcome and past.outcome.kind is Kind.READY) for past in lives):
        return None
    memory = grounds.folder.remembered_run(name)
    try:
        options = provider(memory["provider"]).Options.model_validate(memory["options"])
    except (LookupError, TypeError, ValidationError) as error:
        raise StateError(
            f"{name} is no longer in the configuration, may run still, and how it ran cannot be understood",
            hint=f"put {name} back into the configuration and start again",
        ) from error
    host = _provider(name, memory["provider"], options, grounds)
    return Facts(
        rules=Service(name, settle=host.settle),
        provider=host,
        probe=Probe(path=None, accepts=lambda _: True),
        places=_places(name, restored, clock.now()),
        handles=restore.handles(restored),
    )


def _places(service: str, restored: Restored, now: Now) -> dict[str, Place]:
    instance = f"{service}-1"
    past = restored.instances.get(instance, RestoredInstance())
    return {instance: restore.place(instance, past, now)}
