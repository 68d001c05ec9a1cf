"""Envoy's counters turned into activity per service.

Services are read only while somebody needs to know: once a second while awake, many times a second
while draining, never while asleep.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import structlog

from poorwill import clock
from poorwill.core import traffic
from poorwill.core.model import Traffic
from poorwill.errors import GatewayError
from poorwill.gateway.admin import Admin

log = structlog.get_logger()

Stats = dict[str, int | str]

_COUNTERS = "rq_(active|pending_active|total)|cx_[rt]x_bytes_total"


class Activity:
    """``on_reading(service)`` is called after a reading that changed what is known."""

    def __init__(self, admin: Admin, on_reading: Callable[[str], None]) -> None:
        self._admin = admin
        self._on_reading = on_reading
        self._paces: dict[str, float] = {}
        self._allowances: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._meters: dict[str, traffic.Meter] = {}
        self._changed = asyncio.Event()

    def watch(self, service: str, every: float | None, keepalive_bytes: int) -> None:
        """Read this service's counters every so many seconds; None ends it and forgets the readings."""
        if every is None:
            self._allowances.pop(service, None)
            self._paces.pop(service, None)
            self._due.pop(service, None)
            self._meters.pop(service, None)
            return
        self._allowances[service] = keepalive_bytes
        if self._paces.get(service) != every:
            self._paces[service] = every
            self._due[service] = 0.0
            self._changed.set()

    def traffic(self, service: str) -> Traffic:
        return self._meters.get(service, traffic.Meter()).traffic()

    async def run(self) -> None:
        while True:
            await self._until_due()
            due = [name for name, at in self._due.items() if at <= clock.now().mono]
            if not due:
                continue
            at = clock.now().mono  # what the counters say is at least as new as this
            try:
                stats = await self._admin.stats(_pattern(due))
            except GatewayError as error:
                log.debug("no reading", error=str(error))  # Envoy's keeper says it aloud and restarts it
                stats = None
            for name in due:
                if name in self._paces:
                    self._due[name] = at + self._paces[name]
                    if stats is not None:
                        self._read(name, stats, at)

    def _read(self, service: str, stats: Stats, at: float) -> None:
        before = self._meters.get(service, traffic.Meter())
        after = traffic.read(before, _reading(service, stats, at), self._allowances[service])
        self._meters[service] = after
        self._on_reading(service)

    async def _until_due(self) -> None:
        self._changed.clear()
        if not self._due:
            await self._changed.wait()
            return
        pause = min(self._due.values()) - clock.now().mono
        if pause > 0:
            try:
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            except TimeoutError:
                return


def _pattern(services: list[str]) -> str:
    names = "|".join(map(re.escape, services))
    return rf"^cluster\.({names})/(slots/)?(active|busy|background)\.upstream_({_COUNTERS})$"


def _reading(service: str, stats: Stats, at: float) -> traffic.Reading:
    def value(kind: str, name: str) -> int:
        clusters = (kind, f"slots/{kind}")
        return sum(int(stats.get(f"cluster.{service}/{cluster}.{name}", 0)) for cluster in clusters)

    def open_requests(kind: str) -> int:
        """Those that wait for a connection count as open too: Envoy keeps them apart."""
        return value(kind, "upstream_rq_active") + value(kind, "upstream_rq_pending_active")

    return traffic.Reading(
        at=at,
        active=open_requests("active"),
        busy=open_requests("busy"),
        requests=value("active", "upstream_rq_total") + value("busy", "upstream_rq_total"),
        bytes=value("active", "upstream_cx_rx_bytes_total") + value("active", "upstream_cx_tx_bytes_total"),
    )
