"""What the demo cost so far, and what it would have cost without sleeping."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from poorwill.accounts.account import account
from poorwill.accounts.asked import Asked
from poorwill.accounts.books import read


@dataclass(frozen=True, slots=True)
class Receipt:
    """``total`` seconds since the journal begins, ``ran`` seconds of them an instance was there, after so
    many ``starts``. ``cost`` and ``always`` (one instance all the time) are exact, in ``currency``.
    """

    total: float = 0.0
    ran: float = 0.0
    starts: int = 0
    cost: Decimal = Decimal(0)
    always: Decimal = Decimal(0)
    currency: str = ""

    def __str__(self) -> str:
        words = f"woken {self.starts} times; an instance ran {self.ran:.0f} s of {self.total:.0f} s."
        if not self.always:
            return words
        saved = 1 - self.cost / self.always
        return (
            f"{words} On a rented GPU, paid by the started second, that is {self.cost:.4f} {self.currency} "
            f"instead of {self.always:.4f}: {saved:.0%} saved."
        )


def receipt(state: Path, now: float) -> Receipt:
    """From the journal, as ``poorwill cost`` does it. Raises StateError when that cannot be read."""
    books = read(state, 0.0, now, now)
    if books.begins is None:
        return Receipt()
    found = account(books, Asked("the demo", books.begins, now))
    return Receipt(
        total=now - books.begins,
        ran=sum(line.seconds for line in found.lines),
        starts=sum(line.starts for line in found.lines),
        cost=sum((one.cost for one in found.saved), Decimal(0)),
        always=sum((one.always for one in found.saved), Decimal(0)),
        currency=next((one.currency for one in found.saved), ""),
    )
