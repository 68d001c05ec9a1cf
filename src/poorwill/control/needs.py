"""Who needs whom: services that need others, and the machines that services run on.

A machine is wanted while anything on it is wanted, started before and stopped after it; what stands below
``needs:`` is the same between services, but that a person may put it to sleep all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from poorwill.control.facts import AT_REST, Facts
from poorwill.control.place import Place
from poorwill.core.debt import FOREIGN
from poorwill.core.model import Condition, IntentKind, Phase

Ground = tuple[Condition, str]
"""What the state of its machine says about an instance, and the words for it."""


class Needs:
    """Looks at the facts of all services, which others own."""

    def __init__(self, services: Mapping[str, Facts]) -> None:
        self._services = services

    def of(self, facts: Facts) -> Iterator[Facts]:
        """What this one needs, its machine first."""
        for name in filter(None, (facts.machine, *facts.needs)):
            if name in self._services:
                yield self._services[name]

    def dependents(self, facts: Facts) -> Iterator[Facts]:
        name = facts.name
        for other in self._services.values():
            if name == other.machine or name in other.needs:
                yield other

    def all_needs(self, facts: Facts) -> set[str]:
        """What it needs, and what that needs, and so on."""
        return _closure(facts, self.of)

    def all_dependents(self, facts: Facts) -> set[str]:
        """What needs it, and what needs that, and so on."""
        return _closure(facts, self.dependents)

    def needed_by(self, facts: Facts) -> tuple[str, ...]:
        """Who wants it awake; while it is there, also who has not come to rest yet."""
        return tuple(
            other.name
            for other in self.dependents(facts)
            if other.decision and (other.decision.desired or (facts.there and not other.at_rest))
            if other.decision.rule != FOREIGN
        )

    def lets_be(self, facts: Facts) -> bool:
        """Whether what others started there is theirs: on a machine of ours all comes and goes with it."""
        machine = self._services.get(facts.machine)
        return machine is None or any(place.foreign for place in machine.places.values())

    def tenants_at_work(self, machine: str) -> int:
        """How many things on a machine are not known to have stopped."""
        here = (other for other in self._services.values() if other.machine == machine)
        return sum(other.phase not in AT_REST and not _only_waits(other) for other in here)

    def missing(self, facts: Facts) -> str:
        """What its start has to wait for, in words; empty when nothing."""
        waits = [f"waits for {need.name}, {_state(need)}" for need in self.of(facts) if not _usable(need)]
        return "; ".join(waits)

    def values(self, facts: Facts) -> Mapping[str, str]:
        """What its machine says about where it is; empty without one, or while it does not run."""
        machine = self._services.get(facts.machine)
        places = machine.places.values() if machine else ()
        return next((place.sighting.values for place in places if place.sighting and place.runs), {})

    def pending(self, facts: Facts) -> bool:
        """Whether the first look at its machine is still under way."""
        machine = self._services.get(facts.machine)
        return machine is not None and machine.unlooked

    def ground(self, facts: Facts, now: float) -> Ground | None:
        """What the machine's state says about the instances on it; None lets the provider look for itself."""
        if not facts.machine:
            return None
        machine = self._services.get(facts.machine)
        if machine is None:
            return Condition.UNKNOWN, f"the machine {facts.machine} is not known yet"
        place = next(iter(machine.places.values()))
        return _ground(machine, place, now)


def _closure(facts: Facts, neighbours: Callable[[Facts], Iterator[Facts]]) -> set[str]:
    found: set[str] = set()
    ahead = [facts]
    while ahead:
        fresh = [other for other in neighbours(ahead.pop()) if other.name not in found]
        found |= {other.name for other in fresh}
        ahead += fresh
    return found


def _ground(machine: Facts, place: Place, now: float) -> Ground | None:
    name = machine.name
    if machine.looked_at is None or now - machine.looked_at > machine.provider.stale_after:
        return Condition.UNKNOWN, f"nobody knows whether the machine {name} runs"
    own = place.intent.kind if place.intent else None
    match place.condition:
        case Condition.UNKNOWN:
            return Condition.UNKNOWN, f"nobody knows whether the machine {name} runs"
        case Condition.ABSENT:
            return Condition.ABSENT, f"the machine {name} is off"
        case Condition.STOPPING if own is IntentKind.STOP:
            return Condition.ABSENT, f"the machine {name} is being stopped"
        case Condition.STARTING:
            return Condition.ABSENT, f"the machine {name} is starting"
        case Condition.RUNNING if place.ready:
            return None
        case _ if own is IntentKind.START:  # we started it: nothing of ours can run on it yet
            return Condition.ABSENT, f"the machine {name} is starting"
        case _:
            return Condition.UNKNOWN, f"the machine {name} does not answer"


def _only_waits(facts: Facts) -> bool:
    """Whether it is to start, and nothing of it is there yet: it waits for its machine."""
    return facts.phase is Phase.WAKING and not facts.there


def _usable(need: Facts) -> bool:
    return need.phase is Phase.AWAKE


def _state(need: Facts) -> str:
    reason = need.decision.reason if need.decision and need.phase is Phase.FAILED else ""
    return f"which is {need.phase}" + (f" ({reason})" if reason else "")
