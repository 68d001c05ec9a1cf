"""A day, a week or a month by the calendar of a time zone: what budgets and bills are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from poorwill.core.localtime import MIDNIGHT, day_of, start_of


class Per(StrEnum):
    """How long a period is. A week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """``start`` is in it and ``stop`` is not, in seconds since the epoch. ``first`` is its first day."""

    per: Per
    first: date
    start: float
    stop: float
    zone: str

    @property
    def seconds(self) -> float:
        """Its length: 3,600 s more or less where the clocks change."""
        return self.stop - self.start

    def __str__(self) -> str:
        if self.per is Per.MONTH:
            return f"{self.first:%Y-%m}"
        return f"{self.first}" if self.per is Per.DAY else f"week of {self.first}"


def period_of(per: Per, wall: float, zone: str) -> Period:
    """The one that an instant is in."""
    return period_from(per, day_of(wall, zone), zone)


def period_from(per: Per, day: date, zone: str) -> Period:
    """The one that a local date is in."""
    first = _first(per, day)
    return Period(per, first, _midnight(first, zone), _midnight(_next(per, first), zone), zone)


def _first(per: Per, day: date) -> date:
    if per is Per.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if per is Per.WEEK else day


def _next(per: Per, first: date) -> date:
    if per is Per.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if per is Per.WEEK else 1)


def _midnight(day: date, zone: str) -> float:
    """Where the clocks jump over midnight the day begins at the end of the gap."""
    return start_of(datetime.combine(day, MIDNIGHT), zone)
