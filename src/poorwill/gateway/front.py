"""The gateway as the control plane sees it: one object for doors, routes and readings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from poorwill import clock
from poorwill.core.allowance import Allowance
from poorwill.core.door import Asked, Gate, GateState, Member, Membership, Traffic
from poorwill.core.history import Estimate
from poorwill.core.hours import OpeningHours
from poorwill.core.load import Load
from poorwill.core.model import OnRequest
from poorwill.core.target import Target
from poorwill.core.using import Use
from poorwill.gateway.activity import Activity
from poorwill.gateway.doors import Door, Refusal
from poorwill.gateway.readings import Readings
from poorwill.gateway.switchboard import Switchboard


class Front:
    """Nothing here waits: wishes are taken at once, and ``changed(service)`` tells when they came true."""

    def __init__(
        self,
        doors: dict[str, Door],
        switchboard: Switchboard,
        activity: Activity,
        changed: Callable[[str], None],
        readings: Readings | None = None,
    ) -> None:
        self._doors = doors
        self._switchboard = switchboard
        self._activity = activity
        self._changed = changed
        self._readings = readings

    @property
    def doors(self) -> Mapping[str, Door]:
        return self._doors

    def gate(self, service: str) -> Gate:
        return self._switchboard.gate(service)

    def traffic(self, service: str) -> Traffic:
        return self._activity.traffic(service)

    def asked(self, service: str) -> Asked:
        return self._doors[service].asked()

    def checks(self, service: str) -> int:
        return self._doors[service].checks

    def open(self, service: str) -> None:
        """Release those who wait as soon as Envoy knows where the service is; then take the gate away.

        Open means that visits get in. Where more of them wait than the service has slots, they get in one
        after another, and the gate stays for them (``gateway.slots``): to the control room that is open.
        """
        door, known = self._doors[service], self._switchboard.confirmed(service)
        if len(door.line) and len(door.line) > self._switchboard.room(service):
            self._switchboard.pace(service, True)
        if known:
            door.let_through(True)
        self._switchboard.open(service)

    def close(self, service: str) -> None:
        self._doors[service].let_through(False)
        self._switchboard.close(service)

    def route(self, service: str, instance: str, target: Target | None) -> None:
        self._switchboard.route(service, instance, target)

    def join(self, service: str, instance: str) -> None:
        self._switchboard.wish(service, instance, Membership.IN)

    def cordon(self, service: str, instance: str) -> None:
        self._switchboard.wish(service, instance, Membership.CORDONED)

    def leave(self, service: str, instance: str) -> None:
        self._switchboard.wish(service, instance, Membership.OUT)

    def member(self, service: str, instance: str) -> Member:
        return self._switchboard.member(service, instance)

    def instance_traffic(self, service: str, instance: str) -> Traffic:
        return self._activity.instance_traffic(service, instance)

    def served(self, service: str, instance: str) -> int:
        """How many requests an instance was sent, of a service that has several."""
        return self._activity.served(service, instance)

    def use(self, service: str) -> Use:
        """What visitors did since the last call."""
        seen, door = self._activity.used(service), self._doors.get(service)
        if door is None:
            return seen
        waits = door.waits.take(clock.now().mono)
        known = (seen.first_at, seen.last_at, waits.first_at, waits.last_at)
        moments = [at for at in known if at is not None]
        return replace(
            waits,
            answered=seen.answered,
            first_at=min(moments, default=None),
            last_at=max(moments, default=None),
            waiting=waits.waiting + door.waiting,
        )

    async def catch_up(self) -> None:
        """Have the counters of all that is awake read once more."""
        await self._activity.catch_up()

    def load(self, service: str) -> Load:
        return self._readings.load(service) if self._readings else Load()

    def watch(self, service: str, every: float | None, keepalive_bytes: int) -> None:
        self._activity.watch(service, every, keepalive_bytes)
        if self._readings:
            self._readings.follow(service, every is not None)

    def show(
        self,
        service: str,
        *,
        refusal: str | None,
        estimate: Estimate | None,
        waking_since: float | None,
        trouble: bool,
        entrance: OnRequest = OnRequest.WAKE,
        hours: OpeningHours | None = None,
    ) -> None:
        """What visitors who find no open gate are told."""
        door = self._doors[service]
        before = (door.estimate, door.waking_since, door.trouble, door.entrance, door.hours)
        door.estimate, door.waking_since, door.trouble = estimate, waking_since, trouble
        door.entrance, door.hours = entrance, hours
        door.refuse(Refusal(refusal) if refusal else None)
        if before != (estimate, waking_since, trouble, entrance, hours):
            door.turn()

    def allow(self, service: str, allowance: Allowance | None, *, known: bool) -> None:
        """How often visitors may wake it; None while asking for it is no wake."""
        door = self._doors[service]
        if (door.allowance, door.known) != (allowance, known):
            door.allowance, door.known = allowance, known
            door.turn()

    def confirmed(self, service: str) -> None:
        """Envoy follows the last wish for this service."""
        door = self._doors.get(service)
        if door is not None:
            if self._switchboard.gate(service).state is GateState.OPEN:
                door.let_through(True)
            self._changed(service)
