"""What the configuration says about money as a whole, as the journal keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one unit of a currency is worth, as the user stated it, and the day of that."""

    rate: Decimal
    date: str


@dataclass(frozen=True, slots=True)
class Statement:
    """``currency`` is that of the file, empty when it names none; ``rates`` turn others into it.

    ``zone`` is the time zone of the file, ``payers`` are the services and machines in it.
    """

    currency: str = ""
    zone: str = "UTC"
    rates: Mapping[str, Exchange] = field(default_factory=dict)
    payers: tuple[str, ...] = ()

    def as_json(self) -> Json:
        """For the journal; ``statement_from`` reads it."""
        rates = {name: {"rate": str(one.rate), "date": one.date} for name, one in self.rates.items()}
        return {"currency": self.currency, "zone": self.zone, "rates": rates, "payers": list(self.payers)}


def statement_from(known: Mapping[str, Any]) -> Statement:
    """What ``as_json`` wrote. Raises KeyError or decimal.InvalidOperation for anything else."""
    rates = {name: Exchange(Decimal(one["rate"]), one["date"]) for name, one in known["rates"].items()}
    return Statement(known["currency"], known["zone"], rates, tuple(known["payers"]))
