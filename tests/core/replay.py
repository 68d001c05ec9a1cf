"""A service that does not exist, under a load that somebody thought of: what a policy makes of it, second by
second. Requests come by lot, with a seed; each instance works at so many at a time, the rest queue.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from poorwill.core.load import Load, Reading
from poorwill.core.scale import Scale, ScalePolicy, scaled

STEP = 0.1
_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Change:
    at: float
    before: int
    after: int
    reason: str


@dataclass(slots=True)
class Story:
    """What came of it: each change, the number of instances at each second, when each request was answered
    and how long it took.
    """

    changes: list[Change] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    answered: list[tuple[float, float]] = field(default_factory=list)

    @property
    def reversals(self) -> int:
        """How many changes go back on the one before."""
        ways = [change.after > change.before for change in self.changes]
        return sum(one != other for one, other in pairwise(ways))

    def p95(self, since: float, until: float) -> float:
        took = sorted(latency for at, latency in self.answered if since <= at < until)
        return took[int(len(took) * 0.95)]


@dataclass(slots=True)
class World:
    """``rate`` is requests a second at a time; each takes about ``work`` seconds, an instance ``slots`` at a
    time and ``start`` seconds until it answers. ``gauges`` are functions of the time and the instances there.
    """

    policy: ScalePolicy
    rate: Callable[[float], float]
    work: float = 0.2
    slots: int = 8
    start: float = 1.0
    seed: int = 1
    gauges: Mapping[str, Callable[[float, int], float]] = field(default_factory=dict)
    _waiting: deque[float] = field(default_factory=deque)
    _open: list[tuple[float, float]] = field(default_factory=list)
    _ready: list[float] = field(default_factory=list)
    _begun: int = 0
    _took: list[float] = field(default_factory=list)

    def play(self, seconds: int, count: int = 0) -> Story:
        dice, story, scale = random.Random(self.seed), Story(), Scale(count, 0.0)
        self._ready = [0.0] * count
        readings: deque[Reading] = deque(maxlen=700)
        for tick in range(1, round(seconds / STEP) + 1):
            now = round(tick * STEP, 3)
            there = sum(at <= now for at in self._ready)
            self._work(now, there, dice, story)
            if tick % 10 == 0:
                readings.append(self._reading(now, there))
                story.counts.append(scale.count)
            held = 0 if there else len(self._waiting)
            if tick % 10 == 0 or (held and not scale.count):
                answer = scaled(self.policy, Load(tuple(readings)), scale, held, now)
                if answer.desired != scale.count:
                    story.changes.append(Change(now, scale.count, answer.desired, answer.reason))
                    scale = Scale(answer.desired, now, answer.reason)
                    self._ready = self._ready[: scale.count]
                    self._ready += [now + self.start] * (scale.count - len(self._ready))
        return story

    def _work(self, now: float, there: int, dice: random.Random, story: Story) -> None:
        mean = self.rate(now) * STEP
        came = max(0, round(dice.gauss(mean, mean**0.5)))
        self._waiting.extend(sorted(now - dice.random() * STEP for _ in range(came)))
        for came_at, until in self._open:
            if until <= now:
                self._took.append(until - came_at)
                story.answered.append((until, until - came_at))
        self._open = [one for one in self._open if one[1] > now]
        while self._waiting and len(self._open) < there * self.slots:
            self._open.append((self._waiting.popleft(), now + self.work * dice.uniform(0.5, 1.5)))
            self._begun += 1

    def _reading(self, now: float, there: int) -> Reading:
        spread = Counter(_BOUNDS[bisect_left(_BOUNDS, took)] for took in self._took)
        reading = Reading(
            at=now,
            span=1.0,
            begun=self._begun,
            ended=len(self._took),
            seconds=sum(self._took),
            took=tuple((bound, spread[bound]) for bound in _BOUNDS),
            open=len(self._open),
            queued=len(self._waiting) if there else 0,
            held=0 if there else len(self._waiting),
            gauges={name: gauge(now, there) for name, gauge in self.gauges.items()},
        )
        self._begun, self._took = 0, []
        return reading
