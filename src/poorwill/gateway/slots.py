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
from collections import Counter
from collections.abc import Mapping
from dataclasses import astuple, dataclass

import structlog

from poorwill import clock
from poorwill.core.door import Membership
from poorwill.errors import GatewayError
from poorwill.gateway.activity import Stats
from poorwill.gateway.admin import Admin
from poorwill.gateway.clusters import Slots, cluster_name
from poorwill.gateway.doors import Door
from poorwill.gateway.instances import ENDPOINT, Counts, counts
from poorwill.gateway.line import Line
from poorwill.gateway.sticky import address
from poorwill.gateway.switchboard import Switchboard

CALM = 0.25
"""Seconds between two looks at services that nobody waits for."""

_BUSY = 0.02
LINGER = 2.0
"""Loads come in waves."""

_ON_THE_WAY = 0.25
"""Seconds after which a request that was let go and did not come to Envoy's counters is given up."""

_CALM_OF_MANY = 0.1
_HALF_FULL = 0.05
"""The same for services that may have several instances, and while half of their slots are taken: what comes
between two looks and finds no slot waits in Envoy for its instance, and no new one relieves it.
"""

_COUNTERS = "upstream_rq_(active|pending_active|total)"

log = structlog.get_logger()


@dataclass(slots=True)
class _Gauge:
    """What is remembered between two looks: requests begun and ended, grants not seen there yet, how many
    were given at the last look, how many more than there are slots, and whether somebody was left waiting.
    """

    begun: int | None = None
    ended: int = 0
    on_the_way: int = 0
    granted: int = 0
    given: int = 0
    ahead: int = 0
    wanted: bool = False
    granted_at: float = 0.0


@dataclass(slots=True)
class _Spot:
    """What has slots: one instance, at ``address``, or all of them where Envoy does not tell them apart.
    ``kept`` says that it is for nobody but those who met it before. ``free`` slots come first, wherever they
    are; ``beyond`` is how many more may go there ahead of time.
    """

    address: str
    limit: int
    counts: Counts
    gauge: _Gauge
    kept: bool = False
    free: int = 0
    beyond: int = 0

    @property
    def full(self) -> bool:
        return self.counts.active + self.counts.pending >= self.limit


class Pacer:
    """Hands out the slots of all services; ``look`` makes it look at once. A service stays paced for
    ``linger`` seconds after nobody waits any more.
    """

    def __init__(
        self, doors: Mapping[str, Door], switchboard: Switchboard, admin: Admin, linger: float = LINGER
    ) -> None:
        self._linger = linger
        self._doors = doors
        self._switchboard = switchboard
        self._admin = admin
        self._gauges: dict[str, dict[str, _Gauge]] = {}
        self._crowded_at: dict[str, float] = {}
        self._half_full: set[str] = set()
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
                stats = await self._admin.stats(_pattern(names, list(filter(self._apart, names))))
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

    def _apart(self, name: str) -> bool:
        return self._switchboard.members.apart(name)

    def _pace(self, name: str, stats: Stats, now: float) -> None:
        door = self._doors.get(name)
        if door is None or not door.passable.is_set():
            return  # it closed while Envoy was asked
        slots = self._switchboard.slots(name)
        if slots is None:
            door.line.grant(len(door.line))
            return
        spots = self._spots(name, slots, stats, door.line)
        for spot in spots:
            _measure(spot, door.line.granted_to(spot.address), now)
        given = _grant(door.line, spots, {spot.address: spot.free for spot in spots})
        given += _grant(door.line, spots, {spot.address: spot.beyond for spot in spots})
        for spot in spots:
            spot.gauge.given, spot.gauge.wanted = given[spot.address], len(door.line) > 0
            if spot.gauge.given:
                spot.gauge.granted_at = now
        self._crowd(name, spots, len(door.line), now)

    def _crowd(self, name: str, spots: list[_Spot], waiting: int, now: float) -> None:
        """Pace while somebody waits. What waits in Envoy has its instance and keeps it, whatever joins: so
        where there may be several, it begins as soon as one of them is full.
        """
        taken = self._apart(name) and any(spot.full for spot in spots)
        if waiting or taken or any(spot.counts.pending > spot.gauge.ahead for spot in spots):
            self._crowded_at[name] = now
            self._switchboard.pace(name, True)
        elif now - self._crowded_at.get(name, 0.0) > self._linger:
            self._switchboard.pace(name, False)
        half = self._apart(name) and 2 * sum(spot.counts.active for spot in spots) >= sum(
            spot.limit for spot in spots
        )
        (self._half_full.add if half else self._half_full.discard)(name)

    def _spots(self, name: str, slots: Slots, stats: Stats, line: Line) -> list[_Spot]:
        gauges = self._gauges.setdefault(name, {})
        if not self._apart(name):
            gauge = gauges.setdefault("", _Gauge(granted=line.granted_to("")))
            return [_Spot("", self._switchboard.room(name), _of_all(name, slots, stats), gauge)]
        spots = []
        for instance, target in self._switchboard.members.published(name).items():
            state, counted = (
                self._switchboard.member(name, instance).state,
                counts(name, slots.kind, target, stats),
            )
            if counted is not None and state in (Membership.IN, Membership.CORDONED):
                to = address(target)
                gauge = gauges.setdefault(to, _Gauge(granted=line.granted_to(to)))
                kept = state is Membership.CORDONED
                spots.append(_Spot(to, slots.limit, counted, gauge, kept))
        return spots

    async def _pause(self, names: list[str]) -> None:
        """Soon again while somebody waits; a look that was called for comes a moment later, with its herd."""
        if any(len(self._doors[name].line) for name in names if name in self._doors):
            await asyncio.sleep(_BUSY)
            return
        calm = _CALM_OF_MANY if any(map(self._apart, names)) else CALM
        calm = calm if self._half_full.isdisjoint(names) else _HALF_FULL
        try:
            async with asyncio.timeout(calm):
                await self._called.wait()
        except TimeoutError:
            return


def _of_all(name: str, slots: Slots, stats: Stats) -> Counts:
    """In the cluster as a whole."""
    prefix = f"cluster.{cluster_name(name, slots.kind)}.upstream_rq_"
    active, pending, begun = (
        int(stats.get(prefix + one, 0)) for one in ("active", "pending_active", "total")
    )
    return Counts(active, pending, begun)


def _measure(spot: _Spot, granted: int, now: float) -> None:
    """How many may be let go there now. ``granted`` counts all that ever were. Among several instances nobody
    is sent ahead to one without need: another may be free sooner.
    """
    gauge, (active, queued, begun) = spot.gauge, astuple(spot.counts)
    fresh, gauge.granted = granted - gauge.granted, granted
    came = 0 if gauge.begun is None or begun < gauge.begun else begun + queued - gauge.begun
    gauge.on_the_way = max(0, gauge.on_the_way + fresh - came)
    if now - gauge.granted_at > _ON_THE_WAY:
        gauge.on_the_way = 0
    ended = max(0, begun - active - gauge.ended) if gauge.begun is not None else 0
    gauge.begun, gauge.ended = begun + queued, begun - active
    there = active + queued + gauge.on_the_way
    gauge.ahead = _ahead(gauge, idle=there < spot.limit, queued=queued, ended=ended)
    if spot.address and not gauge.wanted:
        gauge.ahead = 0
    spot.free = max(0, spot.limit - there)
    spot.beyond = max(0, spot.limit + gauge.ahead - there) - spot.free


def _grant(line: Line, spots: list[_Spot], rooms: Mapping[str, int]) -> Counter[str]:
    kept = {spot.address for spot in spots if spot.kept}
    for_all = {address: room for address, room in rooms.items() if address not in kept}
    return line.grant_at(for_all, {address: rooms[address] for address in kept})


def _ahead(gauge: _Gauge, *, idle: bool, queued: int, ended: int) -> int:
    """How many to give beyond the slots. Twice as many as before when slots are idle although all that was
    given at the last look has ended: requests are shorter than a look. Fewer when they only wait in Envoy.
    """
    if idle and 0 < gauge.given <= ended:
        return max(1, 2 * gauge.ahead)
    return gauge.ahead // 2 if 4 * queued >= 3 * gauge.ahead else gauge.ahead


def _pattern(services: list[str], apart: list[str]) -> str:
    names, more = ("|".join(map(re.escape, each)) for each in (services, apart))
    each = rf"|({more})/slots/(active|busy)\.{ENDPOINT}" if apart else ""
    return rf"^cluster\.(({names})/slots/(active|busy)\.{_COUNTERS}{each})$"
