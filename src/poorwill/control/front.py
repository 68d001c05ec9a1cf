"""What the loop needs of a gateway. Control and gateway know each other only through this."""

from __future__ import annotations

from typing import Protocol

from poorwill.core.allowance import Allowance
from poorwill.core.history import Estimate
from poorwill.core.hours import OpeningHours
from poorwill.core.model import Asked, Gate, OnRequest, Traffic
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

    def route(self, service: str, targets: tuple[Target, ...]) -> None: ...

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
