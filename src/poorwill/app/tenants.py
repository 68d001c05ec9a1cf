"""From a service in the configuration to what the rooms need to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from poorwill import clock
from poorwill.config import ServiceConfig, Settings
from poorwill.control import restore
from poorwill.control.facts import Facts
from poorwill.control.probe import Probe
from poorwill.gateway import pages
from poorwill.gateway.routes import Site, Stray
from poorwill.providers.base import Provider, Surroundings
from poorwill.providers.registry import provider
from poorwill.store.folder import StateFolder
from poorwill.store.journal import Restored, RestoredInstance


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
        name: Site(name, service.hosts, service.path or "", service.strip_path, service.traffic.patterns)
        for name, service in settings.services.items()
    }


def protocols(settings: Settings) -> dict[str, str]:
    return {name: service.protocol for name, service in settings.services.items()}


def stray() -> Stray:
    """What requests for an unknown host are answered."""
    return Stray(
        pages={language: pages.notice_page("not_found", "", language) for language in ("en", "zh")},
        other=pages.api_error("not_found", "", "en"),
    )


def settle_in(service: ServiceConfig, grounds: Grounds) -> Provider:
    """A provider object for this service; it has not looked at anything yet."""
    around = Surroundings(
        gateway=grounds.folder.gateway_id(),
        service=service.name,
        folder=grounds.folder.instances_of(service.name),
        base=grounds.base,
        changed=lambda: grounds.look(service.name),
    )
    return provider(service.run.provider)(service.run.options, around)


def address(service: ServiceConfig) -> tuple[str, int] | None:
    """Where the service answers, when it is the user who says so."""
    return (service.address.host, service.address.port) if service.address else None


def probe(service: ServiceConfig) -> Probe:
    ready = service.ready
    return Probe(
        path=None if ready.tcp else ready.path,
        accepts=ready.accepts,
        headers=ready.headers,
        warmup=service.warmup,
        http2=service.protocol == "http2",
    )


async def charge(service: ServiceConfig, restored: Restored, grounds: Grounds) -> Facts:
    """The facts of a service at the start of this life: what the journal says, and a provider that has
    taken over what still runs.
    """
    now = clock.now()
    host = settle_in(service, grounds)
    await host.adopt(restore.handles(restored))
    instance = f"{service.name}-1"
    place = restore.place(instance, restored.instances.get(instance, RestoredInstance()), now)
    return Facts(
        rules=service.rules(host.settle),
        provider=host,
        probe=probe(service),
        places={instance: place},
        address=address(service),
        hand=restore.hand(restored.hand, now),
        failures=restore.failures(restored, now),
        wakes=restore.wakes(restored),
    )
