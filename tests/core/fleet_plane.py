"""Envoy and the place where several instances of one service live, as the world of the fleet sees them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.control.fake_provider import Cloud, FakeProvider, NoOptions, Weather
from tests.control.virtual_time import VirtualLoop

from poorwill.core.door import Gate, GateState, Member, Membership
from poorwill.core.target import Target
from poorwill.errors import GatewayError, NoCapacity
from poorwill.gateway.instances import address
from poorwill.gateway.members import Members, Places
from poorwill.providers.base import Handle, Sighting

NAME = "notes"
MOST = 3
INSTANCES = tuple(f"{NAME}-{number}" for number in range(1, MOST + 1))
PORTS = {name: 8000 + number for number, name in enumerate(INSTANCES, 1)}


@dataclass(slots=True)
class Flow:
    """A request that is open at an instance; nothing of it moves after its begin. ``busy`` ones work.

    ``lost`` says that Envoy does not count it at its endpoint any more, which went and came meanwhile.
    """

    instance: str
    busy: bool
    begun: float
    ends_at: float
    lost: bool = False


class Clouds:
    """A cloud for each instance, with one weather. ``capacity`` is how many it has room for."""

    def __init__(self) -> None:
        self.weather = Weather()
        self.capacity = MOST
        self.each = {name: Cloud() for name in INSTANCES}
        for cloud in self.each.values():
            cloud.weather = self.weather

    def here(self) -> list[str]:
        return [name for name, cloud in self.each.items() if cloud.copy() is not None or cloud.starting]


@dataclass(slots=True)
class FleetProvider:
    """One control plane's view of the clouds."""

    Options = NoOptions
    clouds: Clouds
    settle: float
    stale_after: float
    each: dict[str, FakeProvider] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.each = {name: FakeProvider(cloud) for name, cloud in self.clouds.each.items()}

    async def adopt(self, known: Mapping[str, Handle]) -> None:
        """Nothing is needed to find them again."""

    async def prepare(self, instance: str) -> Mapping[str, Any]:
        return {"port": PORTS[instance]}

    async def start(self, instance: str, prepared: Mapping[str, Any]) -> Handle:
        if len(self.clouds.here()) >= self.clouds.capacity:
            raise NoCapacity("none is free", hint="wait")
        return await self.each[instance].start(instance, prepared)

    async def stop(self, instance: str) -> None:
        await self.each[instance].stop(instance)

    async def list(self) -> list[Sighting]:
        found: list[Sighting] = []
        for name, provider in self.each.items():
            seen = await provider.list()
            found += [replace(one, address=f"127.0.0.1:{PORTS[name]}") for one in seen]
        return found

    async def log_tail(self, instance: str, lines: int) -> list[str]:
        return []

    async def close(self) -> None:
        """There is nothing to close."""


class Envoy:
    """What it really does: ``open``, and whom it sends visitors to. Its files outlive control planes."""

    def __init__(self, clouds: Clouds, loop: VirtualLoop) -> None:
        self.clouds, self.loop = clouds, loop
        self.open = False
        self.places: Places = {}
        self.shut_at = dict.fromkeys(INSTANCES, 0.0)
        self.flip_takes = 0.005
        self.answers_stats = True
        self.blind_at = 0.0
        self._flows: list[Flow] = []
        self._begun = dict.fromkeys(INSTANCES, 0)

    def follow(self, opened: bool, places: Places) -> None:
        """Its files were written."""
        before = {name for name in INSTANCES if self.sends_to(name)}
        gone = self.places.keys() - places.keys()
        self.open, self.places = opened, dict(places)
        for name in before:
            if not self.sends_to(name):
                self.shut_at[name] = self.loop.time()
        for name in gone:
            self._begun[name] = 0
            for flow in self.flows(name):
                flow.lost = True

    def sends_to(self, instance: str) -> bool:
        place = self.places.get(instance)
        return self.open and place is not None and place.target is not None and place.wish is Membership.IN

    def flows(self, instance: str = "") -> list[Flow]:
        now = self.loop.time()
        self._flows = [
            flow for flow in self._flows if flow.ends_at > now and self.clouds.each[flow.instance].answers()
        ]
        return [flow for flow in self._flows if instance in ("", flow.instance)]

    def begin(self, kind: str, _moves: str, lasts: float) -> bool:
        """It goes to the one with the fewest; false when nobody answers."""
        self.flows()
        able = [name for name in INSTANCES if self.sends_to(name) and self.clouds.each[name].answers()]
        if not able:
            return False
        name, now = min(able, key=lambda one: len(self.flows(one))), self.loop.time()
        self._flows.append(Flow(name, kind == "busy", now, now + lasts))
        self._begun[name] += 1
        return True

    def end_flows(self) -> None:
        for flow in self._flows:
            flow.ends_at = self.loop.time()

    async def stats(self, pattern: str) -> dict[str, int | str]:
        await asyncio.sleep(0.001)
        if not self.answers_stats:
            self.blind_at = self.loop.time()
            raise GatewayError("envoy does not answer")
        found: dict[str, int | str] = {}
        for kind, busy in (("active", False), ("busy", True)):
            mine = [flow for flow in self.flows() if flow.busy is busy]
            found[f"cluster.{NAME}/{kind}.upstream_rq_active"] = len(mine)
            total = 0 if busy else sum(self._begun.values())
            found[f"cluster.{NAME}/{kind}.upstream_rq_total"] = total
            for name, place in self.places.items():
                if place.target is not None:
                    stem = f"cluster.{NAME}/{kind}.endpoint.{address(place.target).replace(':', '_')}.rq_"
                    found[f"{stem}active"] = sum(flow.instance == name and not flow.lost for flow in mine)
                    found[f"{stem}total"] = 0 if busy else self._begun[name]
        return {name: value for name, value in found.items() if re.match(pattern, name)}


class Board:
    """The switchboard of one life of the control plane, with the real register of instances."""

    def __init__(self, envoy: Envoy, changed: Callable[[str], None]) -> None:
        self._envoy, self._changed = envoy, changed
        self.members = Members()
        self.members.begin(NAME, envoy.places)
        self.members.tell_apart([NAME])
        self._open = envoy.open
        self._token, self._pending, self.dead = 0, False, False
        self._gate = Gate(GateState.MOVING, envoy.loop.time())
        self._touch()

    def gate(self, _: str) -> Gate:
        return self._gate

    def confirmed(self, _: str) -> bool:
        return not self._pending

    def room(self, _: str) -> int:
        return 0

    def open(self, _: str) -> None:
        self._move(True)

    def close(self, _: str) -> None:
        self._move(False)

    def route(self, service: str, instance: str, target: Target | None) -> None:
        if self.members.route(service, instance, target):
            self._touch()

    def wish(self, service: str, instance: str, wish: Membership) -> None:
        if self.members.wish(service, instance, wish):
            self._touch()

    def member(self, service: str, instance: str) -> Member:
        return self.members.member(service, instance)

    def _move(self, wish: bool) -> None:
        self._open = wish
        self._gate = Gate(GateState.MOVING, self._envoy.loop.time())
        self._touch()

    def _touch(self) -> None:
        self._pending, self._token = True, self._token + 1
        takes = self._envoy.flip_takes
        self._envoy.loop.call_later(takes / 2, self._write)
        self._envoy.loop.call_later(takes, self._confirm, self._token)

    def _write(self) -> None:
        if not self.dead:
            self._envoy.follow(self._open, dict(self.members.places(NAME)))

    def _confirm(self, token: int) -> None:
        if token != self._token or self.dead:
            return
        self._pending = False
        self.members.settle(NAME)
        state = GateState.OPEN if self._open else GateState.CLOSED
        if self._gate.state is not state:
            self._gate = Gate(state, self._envoy.loop.time())
        self._changed(NAME)
