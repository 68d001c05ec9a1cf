"""What a GPU typically costs, from the shipped table, for those who named one and stated no price."""

from __future__ import annotations

from poorwill.core.price import Price


def typical_price(gpu: str, cloud: str, currency: str) -> Price | None:
    """At this cloud if the table has it, and in this currency if it can be; None when it knows no such GPU.

    Blocks: the table is read from a file the first time.
    """
    from poorwill.advisor.gpus import typical

    ways = [(cloud or None, currency or None), (cloud or None, None), (None, currency or None), (None, None)]
    found = next((price for place, unit in ways if (price := typical(gpu, place, unit))), None)
    if found is None:
        return None
    return Price(
        currency=found.currency,
        per_hour=found.per_hour,
        gpu=gpu,
        typical=True,
        source=f"{found.provider}, {found.date}",
    )
