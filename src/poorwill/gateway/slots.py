"""Slots: a service with a ``concurrency`` gets so many requests at a time, and the others wait their turn.

Envoy's own cap is exact and holds without us. But what waits in Envoy waits without a limit of time and of
number, so it is the line at the door that grows, and Envoy gets as many as there are free slots, and a few
more where requests are short: as many as would end before the next look. While somebody waits the service is
*paced*: open, and yet those who need a slot ask the gate. When nobody waited for a while they go straight to
Envoy again, and only its counters are read: when requests begin to wait there, the gate comes back.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from poorwill import clock
from poorwill.errors import GatewayError
from poorwill.gateway.activity import Stats
from poorwill.gateway.admin import Admin
from poorwill.gateway.clusters import Slots, cluster_name
from poorwill.gateway.doors import Door
from poorwill.gateway.switchboard import Switchboard

CALM = 0.25
"""Seconds between two looks at services that nobody waits for."""

_BUSY = 0.02
_LINGER = 2.0
"""Seconds for which a service stays paced after nobody waits any more: loads come in waves."""

_ON_THE_WAY = 0.25
"""Seconds after which a request that was let go and did not come to Envoy's counters is given up."""

_COUNTERS = "upstream_rq_(active|pending_active|total)"

log = structlog.get_logger()


@dataclass(slots=True)
class _Gauge:
    """What is remembered between two looks: requests begun and ended, grants not seen there yet, how many
    were given at the last look, and how many more than there are slots.
    """

    begun: int | None = None
    ended: int = 0
    on_the_way: int = 0
    granted: int = 0
    given: int = 0
    ahead: int = 0
    granted_at: float = 0.0
    crowded_at: float = 0.0


class Pacer:
    """Hands out the slots of all services; ``look`` makes it look at once."""

    def __init__(self, doors: Mapping[str, Door], switchboard: Switchboard, admin: Admin) -> None:
        self._doors = doors
        self._switchboard = switchboard
        self._admin = admin
        self._gauges: dict[str, _Gauge] = {}
        self._called = asyncio.Event()

    def look(self) -> None:
        self._called.set()

    async def run(self) -> None:
        while True:
            self._called.clear()
            names = self._open()
            if not names:
                self._gauges.clear()
                await self._called.wait()
                continue
            try:
                stats = await self._admin.stats(_pattern(names))
            except GatewayError as error:
                log.debug("no reading", error=str(error))  # Envoy's keeper says it aloud and restarts it
            else:
                for name in names:
                    self._pace(name, stats, clock.now().mono)
            await self._pause(names)

    def _open(self) -> list[str]:
        """Services with slots, or with somebody who came when they had some, whose door is open."""
        return [
            name
            for name, door in self._doors.items()
            if door.passable.is_set() and (len(door.line) or self._switchboard.slots(name))
        ]

    def _pace(self, name: str, stats: Stats, now: float) -> None:
        door = self._doors.get(name)
        if door is None or not door.passable.is_set():
            return  # it closed while Envoy was asked
        slots = self._switchboard.slots(name)
        if slots is None:
            door.line.grant(len(door.line))
            return
        gauge = self._gauges.setdefault(name, _Gauge(granted=door.line.granted))
        active, queued, ended = _read(gauge, door, slots, stats, now)
        room, there = self._switchboard.room(name), active + queued + gauge.on_the_way
        gauge.ahead = _ahead(gauge, idle=there < room, queued=queued, ended=ended)
        gauge.given = door.line.grant(max(0, room + gauge.ahead - there))
        if gauge.given:
            gauge.granted_at = now
        if len(door.line) or queued > gauge.ahead:
            gauge.crowded_at = now
            self._switchboard.pace(name, True)
        elif now - gauge.crowded_at > _LINGER:
            self._switchboard.pace(name, False)

    async def _pause(self, names: list[str]) -> None:
        """Soon again while somebody waits; a look that was called for comes a moment later, with its herd."""
        if any(len(self._doors[name].line) for name in names if name in self._doors):
            await asyncio.sleep(_BUSY)
            return
        try:
            async with asyncio.timeout(CALM):
                await self._called.wait()
        except TimeoutError:
            return


def _read(gauge: _Gauge, door: Door, slots: Slots, stats: Stats, now: float) -> tuple[int, int, int]:
    """Requests at the service, requests that wait in Envoy, and how many ended since the last look."""
    prefix = f"cluster.{cluster_name(door.service, slots.kind)}.upstream_rq_"
    active, queued, begun = (
        int(stats.get(prefix + name, 0)) for name in ("active", "pending_active", "total")
    )
    granted, gauge.granted = door.line.granted - gauge.granted, door.line.granted
    came = 0 if gauge.begun is None or begun < gauge.begun else begun + queued - gauge.begun
    gauge.on_the_way = max(0, gauge.on_the_way + granted - came)
    if now - gauge.granted_at > _ON_THE_WAY:
        gauge.on_the_way = 0
    ended = max(0, begun - active - gauge.ended) if gauge.begun is not None else 0
    gauge.begun, gauge.ended = begun + queued, begun - active
    return active, queued, ended


def _ahead(gauge: _Gauge, *, idle: bool, queued: int, ended: int) -> int:
    """How many to give beyond the slots. Twice as many as before when slots are idle although all that was
    given at the last look has ended: requests are shorter than a look. Fewer when they only wait in Envoy.
    """
    if idle and 0 < gauge.given <= ended:
        return max(1, 2 * gauge.ahead)
    return gauge.ahead // 2 if 4 * queued >= 3 * gauge.ahead else gauge.ahead


def _pattern(services: list[str]) -> str:
    names = "|".join(map(re.escape, services))
    return rf"^cluster\.({names})/slots/(active|busy)\.{_COUNTERS}$"
