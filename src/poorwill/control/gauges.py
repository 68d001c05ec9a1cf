"""Numbers that no request shows (processor, memory, GPU, the user's own metrics), asked while something runs.

Asking never holds up the loop: each question is a task of its own, and the newest answers stand here to be
read. A question that fails is asked again later and later; for a short while the last answer stands for it,
then there is no value and a reason, and after ``ALERT_AFTER`` seconds a person is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from poorwill import clock
from poorwill.config.source import Source
from poorwill.control.addresses import resolved
from poorwill.control.apply import Spawn
from poorwill.control.facts import Facts
from poorwill.control.needs import Needs
from poorwill.control.place import Place
from poorwill.control.recorder import Recorder
from poorwill.control.sources import Sources
from poorwill.control.usage import Usage
from poorwill.core.debt import Severity
from poorwill.core.model import Now
from poorwill.errors import ProviderError, Temporary
from poorwill.providers.base import Shell
from poorwill.store.journal import Entry, Kind

EVERY = 2.0
EVERY_GPU = 5.0
"""Seconds between two questions. ``nvidia-smi`` is slow, and works while it is asked."""

LASTS = 15.0
"""Seconds for which an answer stands: one that fails now and then stops nothing."""

SLOWEST = 30.0
"""Seconds between two questions to what has not answered for long."""

ALERT_AFTER = 60.0

GIVEN_UP = 30.0
"""Seconds after which a question of any kind is given up; most have a shorter limit of their own."""

LOOK = 0.5
"""Seconds between two looks at what is due."""

ABOUT = "metric"
"""What an alert of ours is about, in the journal."""

BUILT_IN = frozenset(("cpu", "memory", "gpu_utilization", "gpu_memory"))

log = structlog.get_logger()


@dataclass(slots=True)
class _Gauge:
    """One number of one service. ``failing_since`` is None while it answers; ``told`` says that a person was
    told that it does not.
    """

    usage: Usage
    every: float
    value: float | None = None
    at: float = 0.0
    due: float = 0.0
    pause: float = 0.0
    asking: bool = False
    failing_since: float | None = None
    why: str = ""
    hint: str = ""
    told: bool = False

    def fresh(self, now: float) -> bool:
        return self.value is not None and now - self.at <= LASTS

    def answered(self, value: float | None, now: float) -> None:
        self.value, self.at = value, now
        self.failing_since, self.why, self.hint = None, "", ""
        self.pause, self.due = self.every, now + self.every

    def failed(self, why: str, hint: str, now: float) -> None:
        if self.failing_since is None:
            self.failing_since = now
        self.why, self.hint = why, hint
        self.pause = min(max(self.pause, self.every) * 2, SLOWEST)
        self.due = now + self.pause / 2


Wanted = Mapping[str, Source | None]
"""The numbers that the rules of a service need, by name; None for those in ``BUILT_IN``."""


class Gauges:
    """``want`` says which numbers are needed, ``values`` what they are now. ``shell(machine)`` is where
    commands run; an empty name is this host.
    """

    def __init__(
        self,
        recorder: Recorder,
        spawn: Spawn,
        shell: Callable[[str], Shell],
    ) -> None:
        self._services: Mapping[str, Facts] = {}
        self._recorder = recorder
        self._spawn = spawn
        self._shell = shell
        self._sources = Sources()
        self._wanted: dict[str, Wanted] = {}
        self._gauges: dict[str, dict[str, _Gauge]] = {}
        self._changed = asyncio.Event()

    def want(self, wanted: Mapping[str, Wanted]) -> None:
        """By service. What is no longer needed is forgotten."""
        self._wanted = {service: names for service, names in wanted.items() if names}
        for service, gauges in self._gauges.items():
            kept = self._wanted.get(service, {})
            for name in [name for name in gauges if name not in kept]:
                del gauges[name]
        self._changed.set()

    def values(self, service: str) -> tuple[Mapping[str, float], Mapping[str, str]]:
        """What is known now, and of what is not, why."""
        now, gauges = clock.now().mono, self._gauges.get(service, {})
        known = {name: one.value for name, one in gauges.items() if one.value is not None and one.fresh(now)}
        missing = {name: one.why for name, one in gauges.items() if one.why and not one.fresh(now)}
        return known, missing

    async def run(self, services: Mapping[str, Facts]) -> None:
        """``services`` are those in charge, whenever it is looked at."""
        self._services = services
        try:
            while True:
                self._changed.clear()
                if not self._wanted:
                    await self._changed.wait()
                now = clock.now()
                for service, names in self._wanted.items():
                    self._look(service, names, now)
                await asyncio.sleep(LOOK)
        finally:
            await self._sources.close()

    def _look(self, service: str, names: Wanted, now: Now) -> None:
        """Ask what is due. Of a service with nothing that answers nobody is asked, and what was known of it
        says nothing about its next life.
        """
        facts = self._services.get(service)
        places = [] if facts is None else [one for one in facts.places.values() if one.runs and one.ready]
        if facts is None or not places:
            for name, gauge in self._gauges.pop(service, {}).items():
                if facts is not None and gauge.told:
                    self._tell(facts, Severity.NOTICE, f"{name} is not needed now: nothing answers", "", now)
            return
        gauges = self._gauges.setdefault(service, {})
        for name, source in names.items():
            if name not in gauges:
                every = EVERY_GPU if source is None and name.startswith("gpu") else EVERY
                gauges[name] = _Gauge(Usage(self._shell), every)
            gauge = gauges[name]
            self._mind(facts, name, gauge, now)
            if not gauge.asking and gauge.due <= now.mono:
                gauge.asking = True
                self._spawn(self._ask(facts, places, name, source, gauge))

    async def _ask(
        self, facts: Facts, places: Sequence[Place], name: str, source: Source | None, gauge: _Gauge
    ) -> None:
        why = hint = ""
        value: float | None = None
        try:
            async with asyncio.timeout(GIVEN_UP):
                if source is None:
                    value = await gauge.usage.value(name, facts, places)
                else:
                    value = await self._sources.value(source, await self._addresses(facts, places, source))
        except TimeoutError:
            why = f"it has not answered within {GIVEN_UP:g} s"
        except ProviderError as error:
            why, hint = str(error), error.hint
        except Exception as error:  # a provider may be a third party's: its mistakes must not end the loop
            log.exception("a metric cannot be read", service=facts.name, metric=name)
            why = f"{type(error).__name__}: {error}"
        finally:
            gauge.asking = False
        now = clock.now().mono
        if why:
            gauge.failed(why, hint, now)
        else:
            gauge.answered(value, now)

    async def _addresses(self, facts: Facts, places: Sequence[Place], source: Source) -> list[str]:
        """Where the instances answer, for a source that is asked of each."""
        if not source.per_instance:
            return []
        troubles: list[str] = []
        values = Needs(self._services).values(facts)
        found = [await resolved(facts, place, values, troubles.append) for place in places]
        if not all(found):
            raise Temporary(next(iter(troubles), "nobody knows where an instance answers"))
        first = [targets[0] for targets in found]
        return [f"[{one.ip}]:{one.port}" if ":" in one.ip else f"{one.ip}:{one.port}" for one in first]

    def _mind(self, facts: Facts, name: str, gauge: _Gauge, now: Now) -> None:
        """Tell a person of a number that is gone for long, and of its return."""
        since = gauge.failing_since
        if since is not None and not gauge.told and now.mono - since >= ALERT_AFTER:
            gauge.told = True
            reason = f"{name} cannot be read, and nothing is scaled by it: {gauge.why}"
            hint = gauge.hint or "see scale_policy: of the service"
            log.warning(
                "alert", service=facts.name, about=ABOUT, reason=reason, seconds=round(now.mono - since)
            )
            self._tell(facts, Severity.WARNING, reason, hint, now)
        elif since is None and gauge.told:
            gauge.told = False
            log.info("a metric is back", service=facts.name, metric=name)
            self._tell(facts, Severity.NOTICE, f"{name} can be read again", "", now)

    def _tell(self, facts: Facts, severity: Severity, reason: str, hint: str, now: Now) -> None:
        detail = {"severity": str(severity), "about": ABOUT, "hint": hint}
        self._recorder.note(now, Entry(Kind.ALERT, facts.name, reason=reason, detail=detail))
