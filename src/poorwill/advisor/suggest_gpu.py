"""A cheaper GPU whose memory would have been enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from poorwill.advisor.case import Case
from poorwill.advisor.suggestion import LEAST_DAYS, Suggestion, Sure, Value, noise

ROOM = 1.15
"""So many times the most that was ever in use must fit."""
LEAST_LOOKS = 10
"""Stretches in which the memory was measured."""


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU that can be had: its memory in bytes and what an hour costs."""

    name: str
    memory: int
    per_hour: Decimal
    currency: str


def suggest_gpu(case: Case, cards: Sequence[Card]) -> Suggestion | None:
    """Never sure: that the memory fits does not say that it is fast enough."""
    measured = [one.gpu_memory for one in case.stretches if one.gpu_memory is not None]
    price = case.rate.per_hour
    if case.days < LEAST_DAYS or len(measured) < LEAST_LOOKS or price is None or price <= 0:
        return None
    peak = max(measured)
    fitting = [
        card
        for card in cards
        if card.currency == case.rate.currency and card.memory >= ROOM * peak and card.per_hour < price
    ]
    if not fitting:
        return None
    card = min(fitting, key=lambda one: (one.per_hour, one.memory))
    hours = case.hours_a_month
    amount = (price - card.per_hour) * Decimal(repr(hours))
    if noise(float(amount / price), hours):
        return None
    values: dict[str, Value] = {
        "gpu": card.name,
        "memory_bytes": card.memory,
        "peak_bytes": peak,
        "per_hour": card.per_hour,
    }
    return Suggestion("gpu", case.service.name, 0.0, amount, card.currency, Sure.LOW, values)
