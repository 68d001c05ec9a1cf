"""What no visitor reaches: jobs and machines have no door, no route and no traffic that Envoy could count.

For them this stands in for the gateway: their gate moves at once, and they are at work as long as somebody
says so (a job while it runs, a machine while anything on it does). Everybody else is passed on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from poorwill import clock
from poorwill.control.front import Front
from poorwill.core.allowance import Allowance
from poorwill.core.door import Asked, Gate, GateState, Member, Traffic
from poorwill.core.load import Load
from poorwill.core.target import Target


class Indoors:
    """A Front. ``at_work(name)`` is how many pieces of work of it must not be cut."""

    def __init__(self, front: Front, at_work: Callable[[str], int], changed: Callable[[str], None]) -> None:
        self._front = front
        self._at_work = at_work
        self._changed = changed
        self._gates: dict[str, Gate] = {}

    def admit(self, name: str) -> None:
        """From now on this name has no door."""
        self._gates.setdefault(name, Gate(GateState.CLOSED, 0.0))

    def dismiss(self, name: str) -> None:
        self._gates.pop(name, None)

    def gate(self, service: str) -> Gate:
        return self._gates.get(service) or self._front.gate(service)

    def traffic(self, service: str) -> Traffic:
        if service not in self._gates:
            return self._front.traffic(service)
        busy, now = self._at_work(service), clock.now().mono
        return Traffic(busy=busy, quiet_since=None if busy else 0.0, read_at=now, previous_at=now)

    def asked(self, service: str) -> Asked:
        return Asked() if service in self._gates else self._front.asked(service)

    def checks(self, service: str) -> int:
        return 0 if service in self._gates else self._front.checks(service)

    def open(self, service: str) -> None:
        self._move(service, GateState.OPEN, self._front.open)

    def close(self, service: str) -> None:
        self._move(service, GateState.CLOSED, self._front.close)

    def route(self, service: str, instance: str, target: Target | None) -> None:
        if service not in self._gates:
            self._front.route(service, instance, target)

    def join(self, service: str, instance: str) -> None:
        if service not in self._gates:
            self._front.join(service, instance)

    def cordon(self, service: str, instance: str) -> None:
        if service not in self._gates:
            self._front.cordon(service, instance)

    def leave(self, service: str, instance: str) -> None:
        if service not in self._gates:
            self._front.leave(service, instance)

    def member(self, service: str, instance: str) -> Member:
        return Member() if service in self._gates else self._front.member(service, instance)

    def instance_traffic(self, service: str, instance: str) -> Traffic:
        if service in self._gates:
            return self.traffic(service)
        return self._front.instance_traffic(service, instance)

    def served(self, service: str, instance: str) -> int:
        return 0 if service in self._gates else self._front.served(service, instance)

    def load(self, service: str) -> Load:
        return Load() if service in self._gates else self._front.load(service)

    def watch(self, service: str, every: float | None, keepalive_bytes: int) -> None:
        if service not in self._gates:
            self._front.watch(service, every, keepalive_bytes)

    def allow(self, service: str, allowance: Allowance | None, *, known: bool) -> None:
        if service not in self._gates:
            self._front.allow(service, allowance, known=known)

    def show(self, service: str, **what: Any) -> None:
        if service not in self._gates:
            self._front.show(service, **what)

    def _move(self, service: str, state: GateState, outside: Callable[[str], None]) -> None:
        if service not in self._gates:
            outside(service)
        elif self._gates[service].state is not state:
            self._gates[service] = Gate(state, 0.0)
            self._changed(service)
