"""What will have been used at the end of a period.

The method, with at least two weeks of days behind: what was used so far, and for each day to come, the rest
of today included, the mean of the same weekday in the last 28 days. With fewer days: as much in each hour
to come as in the mean hour of this period so far, since anything is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from poorwill.core.localtime import day_of
from poorwill.core.period import Per, Period, period_from

LOOKS_BACK = 28
"""Days: four of each weekday."""

ENOUGH = 14
"""Days, at least, for means by the weekday."""

_TOO_EARLY = 1 / 31
"""The part of a period of which something must be known before its own mean says anything: a day of a month,
three quarters of an hour of a day.
"""


class Method(StrEnum):
    WEEKDAYS = "weekdays"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Forecast:
    """``amount`` is that of the whole period, in the unit of what was used."""

    amount: Decimal
    method: Method


def forecast(
    period: Period, used: Decimal, wall: float, past: Mapping[date, Decimal], known: float | None
) -> Forecast | None:
    """``past`` is what was used on the last days that are over, those without any included; those before
    anything was known are not in it: that is since ``known``. None: it is too early to tell.
    """
    if len(past) >= ENOUGH:
        return Forecast(used + _to_come(period, wall, past), Method.WEEKDAYS)
    here = min(max(wall, period.start), period.stop)
    gone = here - max(period.start, here if known is None else known)
    if gone < period.seconds * _TOO_EARLY:
        return None
    return Forecast(used + used * Decimal((period.stop - here) / gone), Method.MEAN)


def past_days(wall: float, zone: str, since: float | None) -> tuple[date, ...]:
    """The days that a forecast looks back on: whole ones, at most four weeks, since anything is known."""
    if since is None:
        return ()
    today = day_of(wall, zone)
    days = [today - timedelta(days=back) for back in range(LOOKS_BACK, 0, -1)]
    return tuple(day for day in days if period_from(Per.DAY, day, zone).start >= since)


def _to_come(period: Period, wall: float, past: Mapping[date, Decimal]) -> Decimal:
    total = Decimal(0)
    day = max(day_of(wall, period.zone), period.first)
    while (whole := period_from(Per.DAY, day, period.zone)).start < period.stop:
        left = (whole.stop - max(wall, whole.start)) / whole.seconds
        total += _mean(day.weekday(), past) * Decimal(left)
        day += timedelta(days=1)
    return total


def _mean(weekday: int, past: Mapping[date, Decimal]) -> Decimal:
    alike = [used for day, used in past.items() if day.weekday() == weekday]
    return sum(alike, Decimal(0)) / len(alike) if alike else Decimal(0)
