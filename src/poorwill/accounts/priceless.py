"""What nobody knows the price of, and from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from poorwill.accounts.books import Books, Time
from poorwill.core.bill import Line
from poorwill.core.spans import Span, both, union
from poorwill.core.tariff import SECOND, Tariff, micros


@dataclass(frozen=True, slots=True)
class Priceless:
    """``payer`` is who needs a price: of what is on a machine, the machine. ``now`` says that it has none
    now either; else it had none from ``start`` to ``stop``, while something was there.
    """

    payer: str
    start: float
    stop: float
    now: bool


def priceless(books: Books, time: Time, lines: Iterable[Line]) -> Iterator[Priceless]:
    """Each once, in the order of the lines."""
    tariff = Tariff(books.terms)
    start, stop = time.start, min(time.stop, books.now)
    found: dict[str, list[Span]] = {}
    names = [line.name for line in lines if line.amount is None and line.seconds]
    for name in dict.fromkeys(names):
        there = union(
            (life.start, books.now if life.end is None else life.end)
            for life in books.lives
            if life.payer == name
        )
        for rate in tariff.rates(name, micros(start), micros(stop)):
            if rate.price is None:
                span = (rate.start / SECOND, rate.end / SECOND)
                found.setdefault(rate.on or name, []).extend(both([span], there))
    moment = micros(books.now)
    for payer, spans in found.items():
        if joined := union(spans):
            without = next(tariff.rates(payer, moment, moment + 1)).price is None
            yield Priceless(payer, joined[0][0], joined[-1][1], without)
