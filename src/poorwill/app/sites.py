"""From the configuration to what the gateway needs to know: sites, ways to speak to services, doors."""

from __future__ import annotations

from collections.abc import Callable

from poorwill import clock
from poorwill.app.guards import guard_of
from poorwill.app.tenants import Tenant
from poorwill.config import ServiceConfig, Settings
from poorwill.config.bystanders import BystanderConfig
from poorwill.control import restore
from poorwill.core.allowance import Allowance
from poorwill.core.model import OnRequest
from poorwill.gateway import pages
from poorwill.gateway.bystanders import Answer, Bystanders
from poorwill.gateway.bystanders import Kind as Bystander
from poorwill.gateway.clusters import Slots, Upstream
from poorwill.gateway.doors import Door
from poorwill.gateway.routes import Site, Stray
from poorwill.store.folder import StateFolder
from poorwill.store.journal import Kind, Restored


def sites(settings: Settings, folder: StateFolder) -> dict[str, Site]:
    return {
        name: Site(
            name,
            service.hosts,
            service.path or "",
            service.strip_path,
            service.traffic.patterns,
            service.hold,
            guard_of(service, folder.gateway_id()),
            bystanders(service.bystanders),
        )
        for name, service in settings.visited.items()
    }


def bystanders(said: BystanderConfig) -> Bystanders:
    return Bystanders(
        answers={Bystander(kind): Answer(answer) for kind, answer in said.answers.items()},
        also={Bystander(kind): more for kind, more in said.also_listed.items()},
        welcome=said.welcome,
    )


def upstreams(settings: Settings) -> dict[str, Upstream]:
    return {
        name: Upstream(
            service.protocol == "http2",
            service.address.tls if service.address else None,
            _slots(service),
            many=_several(service),
            sticky=service.sticky,
        )
        for name, service in settings.visited.items()
    }


def _several(service: ServiceConfig) -> bool:
    """Whether it may have more than one instance at a time."""
    return service.scale_policy is not None and service.scale_policy.max_instances > 1


def _slots(service: ServiceConfig) -> Slots | None:
    wanted = service.concurrency
    if wanted is None:
        return None
    return Slots(wanted.limit, wanted.paths, bool(service.traffic.busy), service.max_held)


def door(service: ServiceConfig, nudge: Callable[[str], None]) -> Door:
    """Its door, at which nobody asks in vain before the first decision says whether it is in its hours."""
    known = OnRequest.WAKE if service.on_request == "wake" else None
    return Door(service.name, service.hold, nudge, entrance=known)


def set_up_door(
    doors: dict[str, Door], service: ServiceConfig, nudge: Callable[[str], None], pace: Callable[[], None]
) -> None:
    """Its door as configured. One that is there already stays, with all who wait at it."""
    here = doors.setdefault(service.name, door(service, nudge))
    here.hold, here.max_held, here.on_line = service.hold, service.max_held, pace
    here.sticky = service.sticky


def resume(door: Door | None, tenant: Tenant, restored: Restored) -> None:
    """A start that somebody clicked for goes on in this life; those who were held for it are held again."""
    past = [instance.intent for instance in restored.instances.values()]
    if door and isinstance(tenant, ServiceConfig) and not any(past):
        door.allowance = Allowance(tenant.max_wakes, tenant.max_wakes_per_client, restore.woken(restored))
    asks = isinstance(tenant, ServiceConfig) and tenant.on_request == "page"
    if door and asks and any(intent and intent.kind is Kind.START for intent in past):
        door.click(clock.now().mono)


def stray() -> Stray:
    """What requests for an unknown host are answered."""
    return Stray(
        pages={language: pages.notice_page("not_found", "", language) for language in ("en", "zh")},
        other=pages.api_error("not_found", "", "en"),
    )
