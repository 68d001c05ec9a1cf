"""What the loop needs of a gateway. Control and gateway know each other only through this."""

from __future__ import annotations

from typing import Protocol

from poorwill.core.allowance import Allowance
from poorwill.core.door import Asked, Gate, Member, Traffic
from poorwill.core.history import Estimate
from poorwill.core.hours import OpeningHours
from poorwill.core.load import Load
from poorwill.core.model import OnRequest
from poorwill.core.target import Target


class Front(Protocol):
    """No call waits; the loop is told when a wish came true."""

    def gate(self, service: str) -> Gate: ...

    def traffic(self, service: str) -> Traffic: ...

    def asked(self, service: str) -> Asked: ...

    def checks(self, service: str) -> int:
        """How many requests the gate was asked about: none while the service is awake."""
        ...

    def open(self, service: str) -> None: ...

    def close(self, service: str) -> None: ...

    def route(self, service: str, instance: str, target: Target | None) -> None:
        """Where an instance answers; None when it is gone, with all connections to it. Nobody is sent there
        before it joined.
        """
        ...

    def join(self, service: str, instance: str) -> None:
        """Send visitors to the instance, as soon as it is known where it answers."""
        ...

    def cordon(self, service: str, instance: str) -> None:
        """Send only those there whose cookie names it; the same as ``leave`` where there are no cookies."""
        ...

    def leave(self, service: str, instance: str) -> None:
        """Send nobody there any more; what is open goes on."""
        ...

    def member(self, service: str, instance: str) -> Member: ...

    def instance_traffic(self, service: str, instance: str) -> Traffic:
        """What moves between Envoy and one instance of a service that has several."""
        ...

    def served(self, service: str, instance: str) -> int:
        """How many requests an instance was sent, of a service that has several."""
        ...

    def load(self, service: str) -> Load: ...

    def watch(self, service: str, every: float | None, keepalive_bytes: int) -> None: ...

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
        """What visitors who find no open gate are told. ``entrance`` is what they can do about it: WAKE
        while the service is wanted anyway. ``hours`` is when it opens by itself.
        """
        ...

    def allow(self, service: str, allowance: Allowance | None, *, known: bool) -> None:
        """How often visitors may wake it; None while it is no wake to ask for it. ``known`` says whether
        anybody can tell if it runs.
        """
        ...
