"""What the advisor says: a change, what it would bring, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

MONTH = 30 * 86400.0
"""Seconds: gains are told for a month of 30 days."""

LEAST_DAYS = 7
"""Days of which something must be known before anything is said."""

LEAST_HOURS = 1.0
LEAST_SHARE = 0.01
"""A gain that is smaller than one of these, in hours or of what it is there in a month, is noise."""

WAIT_WORTH = 10.0
"""One second of somebody's waiting counts as much as so many seconds of an instance."""


class Sure(StrEnum):
    """How far a figure can be trusted."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


Value = float | int | str | Decimal


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One change, reckoned as if nothing else changed. ``hours`` and ``amount`` are what it saves in a month
    of 30 days, negative where it costs; ``amount`` None: no price is known. ``values`` is what its sentence
    names: seconds, unless the name says otherwise.
    """

    kind: str
    service: str
    hours: float
    amount: Decimal | None
    currency: str
    sure: Sure
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rate:
    """What an hour costs; ``per_hour`` None: nobody said."""

    per_hour: Decimal | None = None
    currency: str = ""

    def of(self, hours: float) -> Decimal | None:
        return None if self.per_hour is None else self.per_hour * Decimal(repr(hours))


def noise(hours: float, there: float) -> bool:
    """Whether a gain is too small to speak of, ``there`` being the hours it is there in the same time."""
    return abs(hours) < LEAST_HOURS or abs(hours) < LEAST_SHARE * there
