"""The instances of each service as the gateway knows them: where they answer, who is to be sent there, and
what of that Envoy has confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from poorwill import clock
from poorwill.core.door import Member, Membership
from poorwill.core.target import Target


@dataclass(frozen=True, slots=True)
class Placed:
    """One instance: where it answers (None: nobody knows yet), and whether visitors are to be there."""

    target: Target | None = None
    wish: Membership = Membership.OUT


Places = dict[str, Placed]
"""By the instance's name, in the order in which they came."""


@dataclass(slots=True)
class _Service:
    places: Places = field(default_factory=dict)
    states: dict[str, Member] = field(default_factory=dict)


class Members:
    """Wishes are taken at once; ``settle`` says that Envoy follows them."""

    def __init__(self) -> None:
        self._services: dict[str, _Service] = {}
        self._apart: frozenset[str] = frozenset()

    def tell_apart(self, services: Iterable[str]) -> None:
        """Of which services Envoy tells the instances apart."""
        self._apart = frozenset(services)

    def apart(self, service: str) -> bool:
        return service in self._apart

    def begin(self, service: str, places: Mapping[str, Placed]) -> None:
        """A new service, with what an earlier life published for it."""
        since = clock.now().mono
        states = {name: Member(Membership.MOVING, since) for name in places}
        self._services[service] = _Service(dict(places), states)

    def forget(self, service: str) -> None:
        self._services.pop(service, None)

    def places(self, service: str) -> Mapping[str, Placed]:
        known = self._services.get(service)
        return known.places if known else {}

    def published(self, service: str) -> dict[str, Target]:
        """Where the instances answer that Envoy knows of, or soon will."""
        return {name: place.target for name, place in self.places(service).items() if place.target}

    def joined(self, service: str) -> list[str]:
        """Those that visitors are sent to, or soon will be."""
        places = self.places(service).items()
        return [name for name, place in places if place.target and place.wish is Membership.IN]

    def member(self, service: str, instance: str) -> Member:
        known = self._services.get(service)
        return known.states.get(instance, Member()) if known else Member()

    def route(self, service: str, instance: str, target: Target | None) -> bool:
        """Returns whether that is news. None forgets the instance."""
        known = self._services.get(service)
        if known is None:
            return False
        place = known.places.get(instance, Placed())
        if target is None:
            known.states.pop(instance, None)
            known.places.pop(instance, None)
            return place.target is not None
        if place.target == target:
            return False
        known.places[instance] = replace(place, target=target)
        if place.target is not None:  # Envoy knows only the place before
            known.states[instance] = Member(Membership.MOVING, clock.now().mono)
        return True

    def wish(self, service: str, instance: str, wish: Membership) -> bool:
        """Returns whether that is news."""
        known = self._services.get(service)
        if known is None:
            return False
        place = known.places.get(instance, Placed())
        if place.wish is wish:
            return False
        known.places[instance] = replace(place, wish=wish)
        known.states[instance] = Member(Membership.MOVING, clock.now().mono)
        return True

    def settle(self, service: str) -> None:
        """Envoy follows every wish for this service. One for an instance that is nowhere yet stands."""
        known = self._services[service]
        for name, place in known.places.items():
            state = known.states.get(name, Member()).state
            if state is not place.wish and (place.target or place.wish is Membership.OUT):
                known.states[name] = Member(place.wish, clock.now().mono)
