"""What a changed configuration changes while everything goes on."""

from __future__ import annotations

from dataclasses import dataclass

from poorwill import clock
from poorwill.app.tenants import (
    Grounds,
    Tenant,
    machine_of,
    probe,
    remember,
    settle_in,
    tenancy,
    tenants,
    tunnel,
)
from poorwill.config import ServiceConfig, Settings
from poorwill.control.facts import Facts, Successor
from poorwill.core.model import Hand, HandKind
from poorwill.errors import BadInput

_FIXED = ("listen", "admin", "state")
"""What is fixed while the program runs: Envoy's listeners and the lock."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of services and machines, sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def lists(self) -> dict[str, list[str]]:
        return {"added": list(self.added), "removed": list(self.removed), "changed": list(self.changed)}


def compare(before: Settings, after: Settings) -> Changes:
    """Raises BadInput when something changed that needs a restart."""
    fixed = [key for key in _FIXED if getattr(before, key) != getattr(after, key)]
    if fixed:
        raise BadInput(
            f"{' and '.join(fixed)} cannot change while Poorwill runs",
            hint="`poorwill down`, then `poorwill up`",
        )
    old, new = tenants(before), tenants(after)
    for name in new.keys() & old.keys():
        if (name in before.visited) != (name in after.visited) and isinstance(new[name], ServiceConfig):
            raise BadInput(
                f"{name} cannot get or lose its visitors while Poorwill runs",
                hint="`poorwill down`, then `poorwill up`",
            )
        kinds = tenancy(old[name]), tenancy(new[name])
        if kinds[0] is not kinds[1]:
            raise BadInput(
                f"{name} cannot change from a {kinds[0]} to a {kinds[1]} while Poorwill runs",
                hint="give it another name, or remove it, reload, and add it again",
            )
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(name for name in new.keys() & old.keys() if new[name] != old[name])),
    )


def retire(facts: Facts) -> None:
    """The service is no longer wanted: it ends its work, sleeps, and is forgotten."""
    facts.retired = True
    facts.closed_to = "removed"
    facts.hand = Hand(HandKind.SLEEP, clock.now().mono, by="because it was removed from the configuration")


def revive(facts: Facts) -> None:
    """A service that was on its way out is wanted after all."""
    facts.retired = False
    facts.closed_to = ""
    facts.hand = None


def check_return(facts: Facts, tenant: Tenant, *, has_door: bool) -> None:
    """Raises BadInput when what comes back under the name of something on its way out is of another kind."""
    if facts.tenancy is not tenancy(tenant) or facts.has_door != has_door:
        raise BadInput(
            f"{facts.name} was removed, still runs, and would come back as something else",
            hint="wait until `poorwill status` does not show it any more, or give it another name",
        )


def successor(tenant: Tenant, grounds: Grounds) -> Successor:
    """Where and how a changed service runs. Raises PoorwillError when its provider cannot be made."""
    return Successor(
        provider=settle_in(tenant, grounds),
        probe=probe(tenant, grounds),
        address=tenant.address if isinstance(tenant, ServiceConfig) else None,
        remember=lambda: remember(tenant, grounds),
        machine=machine_of(tenant),
        tunnel=tunnel(tenant, grounds),
    )


def amend(facts: Facts, tenant: Tenant, then: Successor) -> None:
    """Rules hold at once; where and how it runs holds from the next wake on."""
    facts.rules = tenant.rules(then.provider.settle)
    facts.zone = tenant.zone
    if isinstance(tenant, ServiceConfig):
        facts.needs = tenant.needs
    facts.successor = then
