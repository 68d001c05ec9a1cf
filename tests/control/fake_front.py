"""A gateway of few words, for the control room: it does what it is told a moment later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from poorwill import clock
from poorwill.core.allowance import Allowance
from poorwill.core.door import Asked, Gate, GateState, Member, Membership, Traffic
from poorwill.core.history import Estimate
from poorwill.core.hours import OpeningHours
from poorwill.core.load import Load
from poorwill.core.model import OnRequest
from poorwill.core.target import Target

NAME = "notes"


class FakeFront:
    """A gateway that does what it is told ``takes`` seconds later, and remembers what it was told."""

    def __init__(self) -> None:
        self.takes = 0.005
        self.nudge: Callable[[str], None] = lambda _: None
        self.gates: dict[str, Gate] = {}
        self.traffics: dict[str, Traffic] = {}
        self.askeds: dict[str, Asked] = {}
        self.shown: dict[str, dict[str, Any]] = {}
        self.allowed: dict[str, Allowance | None] = {}
        self.routes: dict[str, tuple[Target, ...]] = {}
        self.members: dict[tuple[str, str], Member] = {}
        self.instance_traffics: dict[tuple[str, str], Traffic] = {}
        self.loads: dict[str, Load] = {}
        self.paces: dict[str, float | None] = {}
        self.calls: list[str] = []
        self.moves: list[str] = []
        self._where: dict[str, Target | None] = {}

    def gate(self, service: str) -> Gate:
        return self.gates.setdefault(service, Gate(GateState.CLOSED, clock.now().mono))

    def traffic(self, service: str) -> Traffic:
        return self.traffics.get(service, Traffic())

    def asked(self, service: str) -> Asked:
        return self.askeds.get(service, Asked())

    def checks(self, service: str) -> int:
        return 7

    def open(self, service: str) -> None:
        self.calls.append("open")
        self._move(service, GateState.OPEN)

    def close(self, service: str) -> None:
        self.calls.append("close")
        self._move(service, GateState.CLOSED)

    def route(self, service: str, instance: str, target: Target | None) -> None:
        known = tuple(one for one in self.routes.get(service, ()) if one != self._where.get(instance))
        self._where[instance] = target
        self.routes[service] = (*known, target) if target else known
        if target is None:
            self.members.pop((service, instance), None)

    def join(self, service: str, instance: str) -> None:
        self._assign(service, instance, Membership.IN)

    def cordon(self, service: str, instance: str) -> None:
        self._assign(service, instance, Membership.CORDONED)

    def leave(self, service: str, instance: str) -> None:
        self._assign(service, instance, Membership.OUT)

    def member(self, service: str, instance: str) -> Member:
        return self.members.get((service, instance), Member())

    def instance_traffic(self, service: str, instance: str) -> Traffic:
        return self.instance_traffics.get((service, instance), self.traffic(service))

    def served(self, service: str, instance: str) -> int:
        return 5

    def load(self, service: str) -> Load:
        return self.loads.get(service, Load())

    def watch(self, service: str, every: float | None, keepalive_bytes: int) -> None:
        if every is None:
            self.traffics.pop(service, None)  # as the real one: readings belong to a life
        if self.paces.get(service) != every:
            self.paces[service] = every
            self._read(service, every)

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
        self.shown[service] = {
            "refusal": refusal,
            "estimate": estimate,
            "waking_since": waking_since,
            "trouble": trouble,
            "entrance": entrance,
            "hours": hours,
        }

    def allow(self, service: str, allowance: Allowance | None, *, known: bool) -> None:
        self.allowed[service] = allowance

    def ask(self, service: str = NAME, waiting: int = 1) -> None:
        """Visitors come (or, with 0, the last one that waited leaves)."""
        last = clock.now().mono if waiting else self.asked(service).last_at
        self.askeds[service] = Asked(waiting, last)
        self.nudge(service)

    def _assign(self, service: str, instance: str, state: Membership) -> None:
        self.moves.append(f"{state} {instance}")
        self.members[service, instance] = Member(Membership.MOVING, clock.now().mono)

        def confirm() -> None:
            if (service, instance) in self.members:
                self.members[service, instance] = Member(state, clock.now().mono)
            self.nudge(service)

        asyncio.get_running_loop().call_later(self.takes, confirm)

    def _move(self, service: str, state: GateState) -> None:
        self.gates[service] = Gate(GateState.MOVING, clock.now().mono)
        asyncio.get_running_loop().call_later(self.takes, self._confirm, service, state)

    def _confirm(self, service: str, state: GateState) -> None:
        self.gates[service] = Gate(state, clock.now().mono)
        if state is GateState.OPEN and self.asked(service).waiting:
            self.askeds[service] = Asked(0, self.asked(service).last_at)
        self.nudge(service)

    def _read(self, service: str, every: float | None) -> None:
        """Readings that show nothing open, at the pace that was asked for."""
        if every is None or self.paces.get(service) != every:
            return
        now, before = clock.now().mono, self.traffic(service)
        if before.busy or before.active:
            self.traffics[service] = Traffic(before.active, before.busy, now, None, now, before.read_at)
        else:
            quiet = before.quiet_since if before.quiet_since is not None else now
            self.traffics[service] = Traffic(0, 0, before.last_activity, quiet, now, before.read_at)
        self.nudge(service)
        asyncio.get_running_loop().call_later(every, self._read, service, every)
