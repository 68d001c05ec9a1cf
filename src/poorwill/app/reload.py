"""What a changed configuration changes while everything goes on."""

from __future__ import annotations

from dataclasses import dataclass

from poorwill import clock
from poorwill.app.tenants import Grounds, probe, remember, settle_in
from poorwill.config import ServiceConfig, Settings
from poorwill.control.facts import Facts, Successor
from poorwill.core.model import Hand, HandKind
from poorwill.errors import BadInput

_FIXED = ("listen", "admin", "state")
"""What is fixed while the program runs: Envoy's listeners and the lock."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of services, sorted."""

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
    old, new = before.services, after.services
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


def successor(service: ServiceConfig, grounds: Grounds) -> Successor:
    """Where and how a changed service runs. Raises PoorwillError when its provider cannot be made."""
    host = settle_in(service, grounds)
    return Successor(host, probe(service), service.address, lambda: remember(service, grounds))


def amend(facts: Facts, service: ServiceConfig, then: Successor) -> None:
    """Rules hold at once; where and how it runs holds from the next wake on."""
    facts.rules = service.rules(then.provider.settle)
    facts.successor = then
