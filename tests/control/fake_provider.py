"""A place where instances live that is as unkind as a test wants, and that outlives control planes.

``Cloud`` is the outside world: what really runs. ``FakeProvider`` is how a control plane sees it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from pydantic import BaseModel

from poorwill import clock
from poorwill.core.model import Condition
from poorwill.errors import Permanent, Temporary
from poorwill.providers.base import Handle, Sighting, Surroundings

FOREVER = 1e9


@dataclass(slots=True)
class Weather:
    """How calls go from now on.

    ``start``: ok · error (nothing happens) · permanent · error-but-done · hang (nothing happens, never
    returns) · hang-but-done · nothing (returns, and nothing ever runs).
    ``stop``: ok · later (returns at once, gone after ``stopping`` seconds) · error · error-but-done · hang
    · hang-but-done · nothing.
    ``looking``: ok · error · hang.
    ``effect`` is the time from a call to what it does, ``lag`` from there until ``list`` shows it.
    ``copy`` is what a new instance is like: seconds until it runs, until it answers, until it dies.
    """

    start: str = "ok"
    stop: str = "ok"
    looking: str = "ok"
    effect: float = 0.0
    returning: float = 0.05
    lag: float = 0.0
    list_takes: float = 0.001
    stopping: float = 3.0
    running_after: float = 0.2
    ready_after: float = 1.0
    dies_after: float = FOREVER


@dataclass(frozen=True, slots=True)
class Copy:
    """An instance that exists. Times are readings of the clock."""

    instance: str
    life: str
    running_at: float
    ready_at: float
    dies_at: float
    gone_at: float = FOREVER
    foreign: bool = False

    def condition(self, at: float) -> Condition:
        if at >= min(self.dies_at, self.gone_at):
            return Condition.ABSENT
        if self.gone_at < FOREVER:
            return Condition.STOPPING
        return Condition.RUNNING if at >= self.running_at else Condition.STARTING

    def answers(self, at: float) -> bool:
        return self.condition(at) in (Condition.RUNNING, Condition.STOPPING) and at >= self.ready_at


class Cloud:
    """What really runs. ``on_start`` and ``on_stop`` are told of each call before it does anything."""

    def __init__(self) -> None:
        self.weather = Weather()
        self.calls: list[tuple[str, float]] = []
        self.on_start: Callable[[str], None] = lambda _: None
        self.on_stop: Callable[[str], None] = lambda _: None
        self.on_gone: Callable[[], None] = lambda: None
        self._copies: list[tuple[float, Copy | None]] = [(0.0, None)]
        self._lives = itertools.count(1)
        self._seen_until = 0.0
        self.starting = 0

    def copy(self, at: float | None = None) -> Copy | None:
        """What exists, or existed at an earlier moment."""
        at = clock.now().mono if at is None else at
        copy = next(copy for since, copy in reversed(self._copies) if since <= at)
        return copy if copy and copy.condition(at) is not Condition.ABSENT else None

    def answers(self) -> bool:
        copy = self.copy()
        return copy is not None and copy.answers(clock.now().mono)

    def shown(self) -> Copy | None:
        """What ``list`` shows: late, but never going back in time."""
        self._seen_until = max(self._seen_until, clock.now().mono - self.weather.lag)
        return self.copy(self._seen_until)

    def shown_at(self) -> float:
        return self._seen_until

    def begin(self, instance: str, *, foreign: bool = False) -> None:
        """``foreign``: it was somebody else who asked for it."""
        now, weather = clock.now().mono, self.weather
        self.starting -= not foreign
        if (copy := self.copy()) is not None and copy.foreign and not foreign:
            self.adopt()
        elif copy is None:
            life = f"life-{next(self._lives)}"
            self._set(
                Copy(
                    instance,
                    life,
                    now + weather.running_after,
                    now + weather.ready_after,
                    now + weather.dies_after,
                    foreign=foreign,
                )
            )

    def adopt(self) -> None:
        """Poorwill may stop what is there."""
        if (copy := self.copy()) is not None:
            self._set(replace(copy, foreign=False))

    def end(self, after: float) -> None:
        copy = self.copy()
        if copy is not None:
            self._set(replace(copy, gone_at=min(copy.gone_at, clock.now().mono + after)))
            self.on_gone()

    def crash(self) -> None:
        """The instance dies by itself."""
        self.end(0.0)

    def count(self, call: str) -> int:
        return sum(1 for name, _ in self.calls if name == call)

    def _set(self, copy: Copy | None) -> None:
        self._copies.append((clock.now().mono, copy))
        del self._copies[:-20]


class NoOptions(BaseModel):
    pass


@dataclass(slots=True)
class FakeProvider:
    """One control plane's view of the cloud."""

    Options: ClassVar[type[BaseModel]] = NoOptions
    cloud: Cloud
    settle: float = 0.0
    stale_after: float = 30.0
    closed: bool = False
    adopted: dict[str, Handle] = field(default_factory=dict)

    @classmethod
    def built(cls, options: Any, around: Surroundings) -> FakeProvider:
        raise NotImplementedError

    async def adopt(self, known: Mapping[str, Handle]) -> None:
        self.adopted = dict(known)

    async def prepare(self, instance: str) -> Mapping[str, Any]:
        return {"port": 8000}

    async def start(self, instance: str, prepared: Mapping[str, Any]) -> Handle:
        cloud, mode = self.cloud, self.cloud.weather.start
        cloud.calls.append(("start", clock.now().mono))
        cloud.on_start(instance)
        if mode in ("ok", "later", "error-but-done", "hang-but-done"):
            cloud.starting += 1
            _later(cloud.weather.effect, lambda: cloud.begin(instance))
        await _returns(mode, cloud.weather.returning)
        return Handle(instance, {"port": prepared["port"]})

    async def stop(self, instance: str) -> None:
        cloud, mode = self.cloud, self.cloud.weather.stop
        cloud.calls.append(("stop", clock.now().mono))
        cloud.on_stop(instance)
        if mode in ("ok", "later", "error-but-done", "hang-but-done"):
            after = cloud.weather.stopping if mode == "later" else 0.0
            _later(cloud.weather.effect, lambda: cloud.end(after))
        await _returns(mode, cloud.weather.returning)

    async def log_tail(self, instance: str, lines: int) -> list[str]:
        return [f"{instance} line {number}" for number in range(lines)]

    async def close(self) -> None:
        self.closed = True

    async def list(self) -> list[Sighting]:
        self.cloud.calls.append(("list", clock.now().mono))
        await asyncio.sleep(self.cloud.weather.list_takes)
        if self.cloud.weather.looking == "hang":
            await asyncio.sleep(FOREVER)
        if self.cloud.weather.looking == "error":
            raise Temporary("the cloud is not itself today", hint="wait")
        copy = self.cloud.shown()
        if copy is None:
            return []
        condition = copy.condition(self.cloud.shown_at())
        return [Sighting(copy.instance, condition, copy.life, "127.0.0.1:8000")]


def _later(seconds: float, effect: Callable[[], None]) -> None:
    """What was asked for happens, whether or not the caller lives to see it."""
    if seconds:
        asyncio.get_running_loop().call_later(seconds, effect)
    else:
        effect()


async def _returns(mode: str, after: float) -> None:
    if mode.startswith("hang"):
        await asyncio.sleep(FOREVER)
    await asyncio.sleep(after)
    if mode.startswith("error"):
        raise Temporary(f"the call failed ({mode})")
    if mode == "permanent":
        raise Permanent("no such machine type", hint="choose another")
