"""How long a service is awake that wakes for visits and sleeps when nobody came for a while.

Assumed is that visits come one by one and independent of each other (a Poisson process) within some hours
of the day, that each keeps the service busy equally long, and that it takes any number at a time. Then the
time awake is the busy time of an M/G/∞ queue in which each visit lasts ``visit + idle``: a visit that comes
before that is over prolongs it. With the rate λ and s = visit + idle, in hours of length H that begin asleep:

    awake = 2 (s - (1 - e^-λs) / λ) + (H - s) (1 - e^-λs)      the ramp up and down, and what is between
    wakes = (1 - e^-λs) + λ (H - s) e^-λs                       the visits that find it asleep

and after a wake it stays awake (e^λs - 1) / λ. A wake takes ``wake`` seconds on top, and who comes meanwhile
wakes nothing: that makes it 1 / (1 + λ wake e^-λs) as many wakes. ``tests/advisor/test_demand.py`` plays it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Visits:
    """``per_day`` visits within ``hours`` (in seconds) of a day, each ``visit`` seconds of work. The service
    takes ``wake`` seconds to start, and sleeps when nobody needed it for ``idle`` seconds.
    """

    per_day: float
    hours: float
    visit: float
    idle: float
    wake: float


@dataclass(frozen=True, slots=True)
class Awake:
    """Of one day, on average, in seconds: with somebody there, with nobody there any more, starting."""

    used: float
    waiting: float
    starting: float
    wakes: float

    @property
    def total(self) -> float:
        return self.used + self.waiting + self.starting


def awake(visits: Visits) -> Awake:
    """What to expect of a day. All zero without visits."""
    if not visits.per_day:
        return Awake(0.0, 0.0, 0.0, 0.0)
    rate = visits.per_day / visits.hours
    stay = visits.visit + visits.idle
    covered, wakes = _covered(rate, stay, visits.hours)
    used, _ = _covered(rate, visits.visit, visits.hours)
    fewer = 1 / (1 + rate * visits.wake * math.exp(-rate * stay))
    starting = wakes * fewer * visits.wake
    # Fewer wakes because one comes while another starts: that much less is spent waiting for the next.
    prolonged = wakes * (1 - fewer) * (math.expm1(rate * stay) / rate) if fewer < 1 else 0.0
    waiting = max(0.0, covered - prolonged - used)
    longest = min(DAY, visits.hours + stay + visits.wake)
    return Awake(used, min(waiting, max(0.0, longest - used - starting)), starting, wakes * fewer)


def _covered(rate: float, stay: float, hours: float) -> tuple[float, float]:
    """Seconds of a day that lie within ``stay`` after a visit, and the visits that find it asleep."""
    if hours + stay > DAY:
        # It goes on into the next day: as if it went on for ever, since nothing begins asleep.
        none = math.exp(-rate * stay * hours / DAY)
        return DAY * (1 - none), rate * hours * none
    short = min(stay, hours)
    ramp = short - (1 - math.exp(-rate * short)) / rate
    some = 1 - math.exp(-rate * short)
    between = abs(hours - stay) * some
    wakes = some + rate * max(0.0, hours - stay) * math.exp(-rate * stay)
    return 2 * ramp + between, wakes
