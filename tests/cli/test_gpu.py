"""What a service needs of its GPU, as people read it."""

from __future__ import annotations

import pytest

from poorwill.cli.gpu import gpu, needs
from poorwill.core.memory import memory_text
from poorwill.core.share import Card, Share

GB = 10**9


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (Share((Card("0"),)), "GPU 0 alone"),
        (Share((Card("0", memory=24 * GB),), 10 * GB), "10GB of GPU 0 (24GB)"),
        (Share((Card("0", "rented", 24 * GB),), 10 * GB, 2), "10GB of GPU 0 of rented (24GB), priority 2"),
        (Share((Card("0"), Card("1")), priority=-1), "GPU 0 and GPU 1 alone, priority -1"),
    ],
)
def test_what_it_needs(share: Share, words: str) -> None:
    assert needs(share) == words
    told = {
        "cards": [
            {"name": card.name, "machine": card.machine or None, "memory": card.memory}
            for card in share.cards
        ],
        "memory": share.memory,
        "priority": share.priority,
        "why": "",
    }
    assert gpu(told) == f"uses {words}"
    assert gpu({**told, "why": "makes room"}) == f"uses {words}; makes room"


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (24 * GB, "24GB"),
        (24564 * 2**20, "25.7GB"),
        (GB, "1GB"),
        (GB - 1, "999MB"),
        (1500 * GB, "1.5TB"),
        (3 * 10**6, "3MB"),
        (5, "0MB"),
    ],
)
def test_amounts(amount: int, words: str) -> None:
    assert memory_text(amount) == words
