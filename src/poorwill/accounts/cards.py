"""GPUs that a review may suggest: those of the shipped table, at what they typically cost."""

from __future__ import annotations

from poorwill.advisor.gpus import gpus, typical
from poorwill.advisor.suggest_gpu import Card


def cards() -> tuple[Card, ...]:
    """One for each currency in which a price is known."""
    return tuple(
        Card(gpu.name, gpu.bytes, price.per_hour, currency)
        for gpu in gpus()
        for currency in sorted({one.currency for one in gpu.prices})
        if (price := typical(gpu.name, currency=currency)) is not None
    )
