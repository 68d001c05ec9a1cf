"""What each service had to do lately: Envoy is read about once a second, for the rules about load.

Only services that have such rules are read, and only while something of them is awake. Nothing outlives the
control plane: after its restart the readings begin anew, so a rule that needs ten minutes has to see ten.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from poorwill import clock
from poorwill.core.counts import Counts, Meter, read
from poorwill.core.load import Load, Reading
from poorwill.errors import GatewayError
from poorwill.gateway.admin import Admin
from poorwill.gateway.counts import counts, pattern
from poorwill.gateway.doors import Door

EVERY = 1.0
"""Seconds between two readings of a service, unless its rules look back for more than an hour."""

MOST = 3600
"""Readings that are kept of one service, an hour of seconds: longer times are read in longer steps."""

SLOWEST = 5.0
"""Seconds of the longest step. With much longer ones rules would think that nobody looks any more."""

MARGIN = 10.0
"""Seconds for which a reading is kept beyond what the rules look back."""

log = structlog.get_logger()

Gauged = tuple[Mapping[str, float], Mapping[str, str]]
"""Values by name, and why others cannot be told."""


@dataclass(slots=True)
class _Series:
    """``keep`` is how many seconds the rules look back; ``due`` is None while nothing of it is awake."""

    keep: float
    due: float | None = None
    meter: Meter = field(default_factory=Meter)
    readings: deque[Reading] = field(default_factory=deque)
    load: Load = field(default_factory=Load)

    @property
    def every(self) -> float:
        return max(EVERY, min(SLOWEST, self.keep / MOST))

    def rest(self) -> None:
        self.due, self.meter, self.load = None, Meter(), Load()
        self.readings.clear()

    def take(self, counted: Counts, gauged: Gauged) -> None:
        values, troubles = gauged
        self.meter, reading = read(self.meter, counted, values)
        if reading is not None:
            self.readings.append(reading)
        while self.readings and self.readings[0].at < counted.at - self.keep - self.every - MARGIN:
            self.readings.popleft()
        self.load = Load(tuple(self.readings), troubles)


class Readings:
    """``gauges(service)`` is asked at each reading; ``on_reading(service)`` is called after it."""

    def __init__(
        self,
        admin: Admin,
        doors: Mapping[str, Door],
        gauges: Callable[[str], Gauged],
        on_reading: Callable[[str], None],
    ) -> None:
        self._admin = admin
        self._doors = doors
        self._gauges = gauges
        self._on_reading = on_reading
        self._series: dict[str, _Series] = {}
        self._awake: set[str] = set()
        self._changed = asyncio.Event()

    def keep(self, spans: Mapping[str, float]) -> None:
        """Which services have rules about load, and how many seconds these look back at most."""
        self._series = {name: self._series.get(name, _Series(seconds)) for name, seconds in spans.items()}
        for name, seconds in spans.items():
            self._series[name].keep = seconds
            self.follow(name, name in self._awake)

    def follow(self, service: str, awake: bool) -> None:
        """Whether anything of it is awake. When it is not, its readings are forgotten."""
        (self._awake.add if awake else self._awake.discard)(service)
        series = self._series.get(service)
        if series is None or awake == (series.due is not None):
            return
        if awake:
            series.due = clock.now().mono
            self._changed.set()
        else:
            series.rest()

    def load(self, service: str) -> Load:
        series = self._series.get(service)
        return series.load if series else Load()

    async def counts(self) -> dict[str, Counts]:
        """Of all services now. Raises GatewayError."""
        return await self._read(None)

    async def run(self) -> None:
        while True:
            await self._until_due()
            now = clock.now().mono
            due = [name for name, one in self._series.items() if one.due is not None and one.due <= now]
            if not due:
                continue
            try:
                counted = await self._read(due)
            except GatewayError as error:
                log.debug("no reading", error=str(error))  # Envoy's keeper says it aloud and restarts it
                counted = {}
            for name in due:
                self._take(name, counted.get(name), now)

    def _take(self, name: str, counted: Counts | None, now: float) -> None:
        series = self._series.get(name)
        if series is None or series.due is None:
            return  # it went to rest while Envoy was asked
        series.due = now + series.every
        if counted is not None:
            series.take(counted, self._gauges(name))
            self._on_reading(name)

    async def _read(self, services: list[str] | None) -> dict[str, Counts]:
        stats, histograms = await self._admin.measures(pattern(services))
        doors = self._doors if services is None else _chosen(self._doors, services)
        return counts(stats, histograms, doors, clock.now().mono)

    async def _until_due(self) -> None:
        self._changed.clear()
        moments = [one.due for one in self._series.values() if one.due is not None]
        pause = max(0.0, min(moments) - clock.now().mono) if moments else None
        try:
            async with asyncio.timeout(pause):
                await self._changed.wait()
        except TimeoutError:
            return


def _chosen(doors: Mapping[str, Door], names: list[str]) -> dict[str, Door]:
    return {name: doors[name] for name in names if name in doors}
