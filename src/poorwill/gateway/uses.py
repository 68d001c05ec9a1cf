"""What was used of each service since somebody last asked: answers that Envoy counted, moments of activity.

It outlives the sleep of a service, and of its readings: what was answered right before is not forgotten.
Where Envoy's counters stood when this control plane began is what all is counted from.
"""

from __future__ import annotations

from collections.abc import Mapping

from poorwill.core.using import Use
from poorwill.gateway.admin import Admin

COUNTER = "upstream_rq_completed"
"""Envoy's counter of requests that were answered; an upgrade is one, a try that is repeated is none."""

_ALL = rf"^cluster\.[^./]+/(slots/)?(active|busy)\.{COUNTER}$"

Stats = Mapping[str, int | str]


class Uses:
    """``begun`` says that it is known where the counters stood."""

    def __init__(self) -> None:
        self.begun = False
        self._counted: dict[str, int] = {}
        self._fresh: dict[str, Use] = {}

    async def begin(self, admin: Admin) -> None:
        """Learn where the counters stand, once. Raises GatewayError."""
        if self.begun:
            return
        for name, value in (await admin.stats(_ALL)).items():
            service = name.removeprefix("cluster.").partition("/")[0]
            self._counted[service] = self._counted.get(service, 0) + int(value)
        self.begun = True

    def read(self, service: str, stats: Stats, active_at: float | None) -> None:
        """One reading; ``active_at`` is the newest moment of activity when that is new."""
        if not self.begun:
            return
        clusters = (f"{way}{kind}" for way in ("", "slots/") for kind in ("active", "busy"))
        count = sum(int(stats.get(f"cluster.{service}/{cluster}.{COUNTER}", 0)) for cluster in clusters)
        before, self._counted[service] = self._counted.get(service, 0), count
        answered = count - before if count >= before else count
        if not answered and active_at is None:
            return
        known = self._fresh.get(service, Use())
        self._fresh[service] = Use(
            answered=known.answered + answered,
            first_at=active_at if known.first_at is None else known.first_at,
            last_at=known.last_at if active_at is None else active_at,
        )

    def take(self, service: str) -> Use:
        """What was seen since the last call."""
        return self._fresh.pop(service, Use())
