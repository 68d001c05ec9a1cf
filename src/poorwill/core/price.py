"""What an hour costs, and in which steps it is billed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Power:
    """Hardware of one's own: ``watts`` it draws while it is on, ``per_kwh`` in the price's currency.

    ``measured`` says that what the GPU draws is measured where that is possible; ``watts`` then counts where
    it was not, and ``base_watts`` is the rest of the machine, added to what was measured.
    """

    watts: Decimal
    per_kwh: Decimal
    measured: bool = False
    base_watts: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Price:
    """What an instance costs while it is there.

    ``currency`` is an ISO 4217 code. ``per_hour`` is what it is charged for an hour; None where ``power``
    says. ``step`` is the seconds that are begun and paid (1: by the second, 3600: by the started hour),
    ``minimum`` the seconds that each life is paid for at least. ``gpu`` names the card, for reports.
    ``typical`` says that nobody stated the figure: it is from the shipped table, ``source`` says where from.
    """

    currency: str
    per_hour: Decimal | None = None
    power: Power | None = None
    step: float = 1.0
    minimum: float = 0.0
    gpu: str = ""
    typical: bool = False
    source: str = ""

    def as_json(self) -> Json:
        """For the journal; ``price_from`` reads it."""
        power = self.power
        return {
            "currency": self.currency,
            "per_hour": None if self.per_hour is None else str(self.per_hour),
            "power": None
            if power is None
            else {
                "watts": str(power.watts),
                "per_kwh": str(power.per_kwh),
                "measured": power.measured,
                "base_watts": str(power.base_watts),
            },
            "step": self.step,
            "minimum": self.minimum,
            "gpu": self.gpu,
            "typical": self.typical,
            "source": self.source,
        }


def price_from(known: Mapping[str, Any]) -> Price:
    """What ``as_json`` wrote. Raises KeyError or decimal.InvalidOperation for anything else."""
    power = known["power"]
    return Price(
        currency=known["currency"],
        per_hour=None if known["per_hour"] is None else Decimal(known["per_hour"]),
        power=None
        if power is None
        else Power(
            Decimal(power["watts"]),
            Decimal(power["per_kwh"]),
            power["measured"],
            Decimal(power["base_watts"]),
        ),
        step=known["step"],
        minimum=known["minimum"],
        gpu=known["gpu"],
        typical=known["typical"],
        source=known["source"],
    )
