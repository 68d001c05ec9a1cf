"""What is paid by the calendar, whether anything is awake or not: storage, the gateway's own machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cost:
    """``amount`` is for a whole ``per`` (day, week, month or year) by the calendar of ``zone``.

    ``since`` and ``until`` are when it was stated and when it was taken back, in seconds since the epoch;
    None: it holds still. ``service`` is what it is for, empty for everything.
    """

    name: str
    amount: Decimal
    currency: str
    per: str
    zone: str
    budget: Decimal | None = None
    service: str = ""
    since: float = 0.0
    until: float | None = None

    def as_json(self) -> Json:
        """For the journal; ``cost_from`` reads it. When it holds is said by the lines of the journal."""
        return {
            "name": self.name,
            "amount": str(self.amount),
            "currency": self.currency,
            "per": self.per,
            "zone": self.zone,
            "budget": None if self.budget is None else str(self.budget),
            "service": self.service,
        }


def cost_from(known: Mapping[str, Any], since: float, until: float | None) -> Cost:
    """What ``as_json`` wrote. Raises KeyError or decimal.InvalidOperation for anything else."""
    return Cost(
        name=known["name"],
        amount=Decimal(known["amount"]),
        currency=known["currency"],
        per=known["per"],
        zone=known["zone"],
        budget=None if known["budget"] is None else Decimal(known["budget"]),
        service=known["service"],
        since=since,
        until=until,
    )
