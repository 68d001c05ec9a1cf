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
from poorwill.core.door import Traffic
from poorwill.core.using import Use
from poorwill.errors import GatewayError
from poorwill.gateway.admin import Admin
from poorwill.gateway.instances import ENDPOINT, Instances
from poorwill.gateway.members import Members
from poorwill.gateway.uses import Uses

log = structlog.get_logger()

Stats = dict[str, int | str]

_COUNTERS = "rq_(active|pending_active|total|completed)|cx_[rt]x_bytes_total"


class Activity:
    """``on_reading(service)`` is called after a reading that changed what is known. ``members`` says which
    instances there are to be told apart.
    """

    def __init__(
        self, admin: Admin, on_reading: Callable[[str], None], members: Members | None = None
    ) -> None:
        self._admin = admin
        self._on_reading = on_reading
        self._members = members or Members()
        self._instances = Instances()
        self._uses = Uses()
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
            self._instances.forget(service)
            return
        self._allowances[service] = keepalive_bytes
        if self._paces.get(service) != every:
            self._paces[service] = every
            self._due[service] = 0.0
            self._changed.set()

    def traffic(self, service: str) -> Traffic:
        return self._meters.get(service, traffic.Meter()).traffic()

    def instance_traffic(self, service: str, instance: str) -> Traffic:
        """The same for one of several instances; all of the service's where Envoy cannot tell them apart."""
        if not self._several(service):
            return self.traffic(service)
        return self._instances.traffic(service, instance)

    def served(self, service: str, instance: str) -> int:
        return self._instances.served(service, instance)

    def used(self, service: str) -> Use:
        """What was used of it since the last call."""
        return self._uses.take(service)

    async def catch_up(self) -> None:
        """Read all that is watched now: nobody will later."""
        if self._paces and self._uses.begun:
            await self._look([*self._paces])

    async def begin(self) -> None:
        """What is answered from now on counts as used."""
        try:
            await self._uses.begin(self._admin)
        except GatewayError as error:
            log.debug("no reading", error=str(error))  # tried again with the first reading

    async def run(self) -> None:
        while True:
            await self._until_due()
            await self.begin()
            if due := [name for name, at in self._due.items() if at <= clock.now().mono]:
                await self._look(due)

    async def _look(self, due: list[str]) -> None:
        at = clock.now().mono  # what the counters say is at least as new as this
        try:
            stats = await self._admin.stats(_pattern(due, list(filter(self._several, due))))
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
        news = after.last_activity if after.last_activity != before.last_activity else None
        self._uses.read(service, stats, news)
        if self._several(service):
            moved = _moved(before, after)
            places, allowance = self._members.published(service), self._allowances[service]
            self._instances.read(service, places, stats, at, moved, allowance)
        else:
            self._instances.forget(service)
        self._on_reading(service)

    def _several(self, service: str) -> bool:
        return self._members.apart(service) and len(self._members.published(service)) > 1

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


def _pattern(services: list[str], several: list[str]) -> str:
    names, more = ("|".join(map(re.escape, each)) for each in (services, several))
    all_of_it = rf"({names})/(slots/)?(active|busy|background)\.upstream_({_COUNTERS})"
    each = rf"|({more})/(slots/)?(active|busy)\.{ENDPOINT}" if several else ""
    return rf"^cluster\.({all_of_it}{each})$"


def _moved(before: traffic.Meter, after: traffic.Meter) -> int:
    """How many bytes went to and fro between two readings; a new Envoy counts from zero."""
    now = after.last.bytes if after.last else 0
    then = before.last.bytes if before.last else now
    return now - then if now >= then else now


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
