"""What a service needs of its GPU, and has of it, in words: for ``why`` and ``check``."""

from __future__ import annotations

from typing import Any

from poorwill.core.memory import memory_text
from poorwill.core.share import Card, Share


def needs(share: Share) -> str:
    """``GPU 0 alone``, or ``10GB of GPU 0 (24GB), priority 1``."""
    cards = " and ".join(
        f"{card} ({memory_text(card.memory)})" if card.memory else str(card) for card in share.cards
    )
    taken = f"{memory_text(share.memory)} of {cards}" if share.memory is not None else f"{share} alone"
    return taken + (f", priority {share.priority}" if share.priority else "")


def gpu(told: dict[str, Any]) -> str:
    """One line of ``why``."""
    cards = tuple(Card(card["name"], card["machine"] or "", card["memory"]) for card in told["cards"])
    line = f"uses {needs(Share(cards, told['memory'], told['priority']))}"
    return line + (f"; {told['why']}" if told["why"] else "")
