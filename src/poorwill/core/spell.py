"""One life of an instance with what it cost, piece by piece."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from poorwill.core.life import Life
from poorwill.core.meter import Draw, Meter, cost_of, draws, together
from poorwill.core.price import Power
from poorwill.core.tariff import Rate, Tariff, micros, per_micro, rounding


@dataclass(frozen=True, slots=True)
class Charge:
    """A piece of a life in which every microsecond cost the same."""

    start: int
    end: int
    rate: Rate
    per_micro: Fraction

    @property
    def machine(self) -> str:
        return self.rate.machine

    @property
    def currency(self) -> str:
        return self.rate.currency

    @property
    def backdated(self) -> bool:
        return self.rate.backdated

    @property
    def typical(self) -> bool:
        return bool(self.rate.price and self.rate.price.typical)


@dataclass(frozen=True, slots=True)
class Ending:
    """What is charged beyond the time that it was there: ``extra`` microseconds, at the last price."""

    extra: int
    amount: Fraction
    currency: str
    typical: bool


@dataclass(frozen=True, slots=True)
class Spell:
    """``charges`` follow each other without a gap from ``start`` to ``end``. ``unconfirmed`` is at the end:
    that is where nobody looked any more.
    """

    start: int
    end: int
    unconfirmed: int
    charges: tuple[Charge, ...]
    ending: Ending | None = None


def spells(lives: Sequence[Life], tariff: Tariff, meters: Sequence[Meter], now: int) -> list[Spell]:
    """The lives of one payer. One that goes on is rounded as if it ended now."""
    spans = [_span(life, now) for life in lives]
    counts = together(spans) if meters else []
    found = []
    for life, (start, end) in zip(lives, spans, strict=True):
        own = [meter for meter in meters if meter.instance in ("", life.instance)]
        alone = {meter for meter in own if meter.instance}
        charges = tuple(
            charge
            for rate in _at_least_one(tariff, life.payer, start, end)
            for charge in _charges(rate, own, counts, bool(alone))
        )
        found.append(Spell(start, end, micros(life.unconfirmed), charges, _ending(charges[-1], end - start)))
    return found


def _span(life: Life, now: int) -> tuple[int, int]:
    start = micros(life.start)
    return start, max(start, now if life.end is None else micros(life.end))


def _at_least_one(tariff: Tariff, payer: str, start: int, end: int) -> Iterator[Rate]:
    """What was over at once has a price as well: the minimum may be charged."""
    if end > start:
        yield from tariff.rates(payer, start, end)
    else:
        rate = next(tariff.rates(payer, start, start + 1))
        yield replace(rate, start=start, end=start)


def _ending(last: Charge, length: int) -> Ending | None:
    """Who lives on a machine is not rounded: the machine is."""
    price = last.rate.price
    if price is None or last.machine:
        return None
    extra = rounding(price, length)
    if not extra:
        return None
    return Ending(extra, per_micro(price) * extra, price.currency, price.typical)


def _charges(
    rate: Rate, meters: Sequence[Meter], counts: Sequence[tuple[int, int, int]], alone: bool
) -> Iterator[Charge]:
    price = rate.price
    metered = price is not None and price.power is not None and price.power.measured and not rate.machine
    if price is None or price.power is None or not metered or rate.start == rate.end:
        yield Charge(rate.start, rate.end, rate, per_micro(price) if price else Fraction(0))
        return
    for draw in draws(meters, (rate.start, rate.end)):
        yield from _drawn(rate, price.power, draw, [] if alone else counts)


def _drawn(rate: Rate, power: Power, draw: Draw, counts: Sequence[tuple[int, int, int]]) -> Iterator[Charge]:
    """Where several were measured together, split at each that came or went."""
    if draw.kwh is None or not counts:
        yield Charge(draw.start, draw.end, rate, cost_of(power, draw, 1))
        return
    first = max(0, bisect_left(counts, (draw.start + 1, 0, 0)) - 1)
    for start, end, many in counts[first:]:
        if start >= draw.end:
            break
        here, stop = max(start, draw.start), min(end, draw.end)
        if stop > here:
            yield Charge(here, stop, rate, cost_of(power, draw, many))
