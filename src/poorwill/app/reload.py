"""What a changed configuration changes while everything goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from poorwill import clock
from poorwill.app.tenants import (
    Grounds,
    Tenant,
    busy_probe,
    machine_of,
    probe,
    remember,
    seat,
    settle_in,
    tenancy,
    tenants,
    tunnel,
)
from poorwill.config import ServiceConfig, Settings
from poorwill.control.busy_probe import BusyProbe
from poorwill.control.facts import Facts, Successor
from poorwill.control.seat import Seat
from poorwill.core.model import Hand, HandKind, Now, Service
from poorwill.errors import BadInput
from poorwill.store.journal import Entry, Kind

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
        busy=busy_probe(tenant, grounds),
        seat=seat(tenant, grounds),
    )


def amend(facts: Facts, tenant: Tenant, then: Successor) -> Entry | None:
    """Rules hold at once; where and how it runs holds from the next wake on.

    Returns what the journal has to know: hours of a job that came before anybody had written them.
    """
    before, facts.rules = facts.rules, tenant.rules(then.provider.settle)
    facts.make_room()
    entry = _settled(facts, before, clock.now())
    facts.zone = tenant.zone
    if isinstance(tenant, ServiceConfig):
        facts.needs = tenant.needs
    facts.busy = _asked_where_it_is(facts, then)
    facts.seat = _ranked_anew(facts.seat, then.seat)
    facts.successor = then
    return entry


def _asked_where_it_is(facts: Facts, then: Successor) -> BusyProbe | None:
    """What a busy probe asks holds at once; where it asks follows the service."""
    before, after = facts.busy, then.busy
    if before is None or after is None or facts.machine == then.machine:
        return after
    return replace(before, asks=after.asks)


def _ranked_anew(before: Seat | None, after: Seat | None) -> Seat | None:
    """Who is served first on a GPU holds at once, what is taken of which one from the next wake on."""
    if before is None or after is None or not before.share.takes_as(after.share):
        return before
    return after


def _settled(facts: Facts, before: Service, now: Now) -> Entry | None:
    """A new schedule begins now: an hour in it that is past is no missed run, unless one was due anyway."""
    past, new = _last_hour(before, now), _last_hour(facts.rules, now)
    known = facts.last_run or 0.0
    if new is None or new == past or new <= known or (past is not None and past > known):
        return None
    facts.last_run = new
    reason = "its schedule was changed: what was due in it before does not count"
    return Entry(Kind.SKIPPED, facts.name, reason=reason, detail={"last_run": new})


def _last_hour(rules: Service, now: Now) -> float | None:
    runs = rules.timetable.runs if rules.job and rules.timetable else ()
    return max((at for run in runs if (at := run.last_due(now.wall)) is not None), default=None)
