"""Which price was in force when, for everybody who pays.

Times in here are whole microseconds since the epoch and money is a fraction, so that what is split can be
put together again and nothing is lost on the way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from poorwill.core.price import Price
from poorwill.core.terms import Terms

SECOND = 1_000_000
HOUR = 3600 * SECOND
Span = tuple[int, int]


def micros(seconds: float) -> int:
    """Seconds since the epoch, or a length of time, in whole microseconds."""
    return round(seconds * SECOND)


@dataclass(frozen=True, slots=True)
class Rate:
    """A time in which nothing about the price changed.

    ``price`` is None where nobody knows one. ``machine`` is set where the price is that of the machine, which
    is shared; ``on`` is the machine in any case. ``backdated`` says that the price was only stated later.
    """

    start: int
    end: int
    price: Price | None
    machine: str = ""
    kind: str = "service"
    backdated: bool = False
    on: str = ""

    @property
    def currency(self) -> str:
        return self.price.currency if self.price else ""


class Tariff:
    """The terms of everybody. What was before the first known price is paid at that price."""

    def __init__(self, terms: Iterable[Terms]) -> None:
        known: dict[str, list[Terms]] = defaultdict(list)
        for one in terms:
            known[one.payer].append(one)
        self._known = {payer: sorted(found, key=lambda each: each.since) for payer, found in known.items()}

    @property
    def payers(self) -> Sequence[str]:
        return list(self._known)

    def kind(self, payer: str) -> str:
        """What it was last said to be."""
        return self._known[payer][-1].kind if payer in self._known else "service"

    def machines(self) -> set[str]:
        return {payer for payer in self._known if self.kind(payer) == "machine"}

    def rates(self, payer: str, start: int, end: int) -> Iterator[Rate]:
        """In order and without a gap from ``start`` to ``end``."""
        for own in self._own(payer, start, end):
            if not own.machine:
                yield own
                continue
            for beneath in self._own(own.machine, own.start, own.end):
                price, machine = (beneath.price, own.machine) if beneath.price else (own.price, "")
                backdated = beneath.backdated if beneath.price else own.backdated
                yield Rate(beneath.start, beneath.end, price, machine, own.kind, backdated, own.machine)

    def _own(self, payer: str, start: int, end: int) -> Iterator[Rate]:
        terms = self._known.get(payer, [])
        first = next((one for one in terms if one.price), None)
        known_from = micros(first.since) if first else start
        here = start
        for number, one in enumerate(terms or [Terms(payer, 0.0)]):
            later = terms[number + 1 :]
            until = min(end, micros(later[0].since)) if later else end
            if until <= here:
                continue
            early = first is not None and one.price is None and micros(one.since) < known_from
            price = first.price if early and first else one.price
            if price is not None and here < known_from < until:  # only where the first terms have one
                yield Rate(here, known_from, price, one.machine, one.kind, backdated=True)
                here = known_from
            yield Rate(here, until, price, one.machine, one.kind, price is not None and here < known_from)
            here = until


def per_micro(price: Price) -> Fraction:
    """What a microsecond costs; of hardware of one's own what it costs where nothing is measured."""
    if price.power is not None:
        return Fraction(price.power.watts) * Fraction(price.power.per_kwh) / (1000 * HOUR)
    return Fraction(price.per_hour or 0) / HOUR


def rounding(price: Price, length: int) -> int:
    """How much longer than it was a life of ``length`` is paid for: steps that are begun, and the minimum."""
    step, least = micros(price.step), micros(price.minimum)
    whole = -(-length // step) * step if step > 0 else length
    if least > whole:
        whole = -(-least // step) * step if step > 0 else least
    return whole - length
