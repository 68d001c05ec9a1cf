"""What each service and machine cost within a time, and how that was shared."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """What one service, job or machine cost. ``kind`` is one of these words.

    ``seconds`` is how long its instances were there, all of them together, ``paid_seconds`` the same in the
    steps in which it is billed; ``unconfirmed`` of these seconds nobody could tell whether it was there.
    ``starts`` is how many lives began. ``amount`` is exact and not rounded; None where no price is known.
    A service on a machine has its part of what the machine cost as ``amount``; the machine's own line has
    what was shared with nobody. ``typical`` says that a price from the shipped table was used.
    """

    name: str
    kind: str
    seconds: float
    paid_seconds: float
    amount: Decimal | None
    currency: str
    unconfirmed: float = 0.0
    starts: int = 0
    typical: bool = False
    machine: str = ""
