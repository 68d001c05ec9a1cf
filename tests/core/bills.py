"""Bills second by second: the slow and obvious way to the same figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from poorwill.core.life import Life
from poorwill.core.meter import Meter
from poorwill.core.price import Price
from poorwill.core.terms import Terms

Amounts = dict[tuple[str, str], Fraction]
"""By payer and currency."""


def slow_amounts(
    lives: Sequence[Life], terms: Sequence[Terms], meters: Sequence[Meter], since: int, until: int, now: int
) -> Amounts:
    """All times must be whole seconds. An end belongs to the second before it."""
    found: Amounts = defaultdict(Fraction)
    for second in range(since, until):
        for life in lives:
            if _there(life, second, now):
                _charge(found, life, second, lives, terms, meters, now)
            if _end(life, now) == second + 1 or (life.start == _end(life, now) == second + 1):
                _round(found, life, lives, terms, now)
    return found


def _charge(
    found: Amounts,
    life: Life,
    second: int,
    lives: Sequence[Life],
    terms: Sequence[Terms],
    meters: Sequence[Meter],
    now: int,
) -> None:
    price, machine, _ = price_of(life.payer, second, terms)
    if price is None or machine:
        return
    amount = _second(price, life, second, lives, meters, now)
    if _kind(life.payer, terms) != "machine":
        found[life.payer, price.currency] += amount
        return
    here = _guests(life.payer, second, lives, terms, now)
    shares = {guest: Fraction(1, len(here)) for guest in here} or _weights(life, lives, terms, now)
    for guest, share in (shares or {life.payer: Fraction(1)}).items():
        found[guest, price.currency] += share * amount


def _round(found: Amounts, life: Life, lives: Sequence[Life], terms: Sequence[Terms], now: int) -> None:
    last = max(int(life.start), _end(life, now) - 1)
    price, machine, _ = price_of(life.payer, last, terms)
    if price is None or machine:
        return
    length = _end(life, now) - int(life.start)
    paid = length
    while price.step and paid % int(price.step):
        paid += 1
    while paid < price.minimum or (price.step and paid % int(price.step)):
        paid += 1
    amount = (paid - length) * _plain(price)
    shares = _weights(life, lives, terms, now) if _kind(life.payer, terms) == "machine" else {}
    for guest, share in (shares or {life.payer: Fraction(1)}).items():
        found[guest, price.currency] += share * amount


def price_of(payer: str, second: int, terms: Sequence[Terms]) -> tuple[Price | None, str, bool]:
    """The price in this second, the machine whose price it is, and whether it was only stated later."""
    own = sorted((one for one in terms if one.payer == payer), key=lambda one: one.since)
    if not own:
        return None, "", False
    before = [one for one in own if one.since <= second]
    current = (before or own)[-1 if before else 0]
    price, early = current.price, False
    priced = [one for one in own if one.price]
    if priced and second < priced[0].since:
        price, early = priced[0].price, True
    if current.machine:
        beneath, _, beneath_early = price_of(current.machine, second, terms)
        if beneath is not None:
            return beneath, current.machine, beneath_early
    return price, "", early


def _second(
    price: Price, life: Life, second: int, lives: Sequence[Life], meters: Sequence[Meter], now: int
) -> Fraction:
    power = price.power
    if power is None or not power.measured:
        return _plain(price)
    for meter in sorted(meters, key=lambda one: one.since):
        if meter.payer == life.payer and meter.since <= second < meter.until:
            many = sum(one.payer == life.payer and _there(one, second, now) for one in lives)
            kwh = (
                Fraction(meter.kwh) / int(meter.until - meter.since) + Fraction(power.base_watts) / 3_600_000
            )
            return kwh * Fraction(power.per_kwh) / many
    return _plain(price)


def _plain(price: Price) -> Fraction:
    if price.power is not None:
        return Fraction(price.power.watts) * Fraction(price.power.per_kwh) / 3_600_000
    return Fraction(price.per_hour or 0) / 3600


def _weights(life: Life, lives: Sequence[Life], terms: Sequence[Terms], now: int) -> dict[str, Fraction]:
    seconds: dict[str, int] = defaultdict(int)
    for second in range(int(life.start), _end(life, now)):
        for guest in _guests(life.payer, second, lives, terms, now):
            seconds[guest] += 1
    return {guest: Fraction(count, sum(seconds.values())) for guest, count in seconds.items()}


def _guests(machine: str, second: int, lives: Sequence[Life], terms: Sequence[Terms], now: int) -> set[str]:
    return {
        life.payer
        for life in lives
        if _there(life, second, now) and price_of(life.payer, second, terms)[1] == machine
    }


def _kind(payer: str, terms: Sequence[Terms]) -> str:
    own = sorted((one for one in terms if one.payer == payer), key=lambda one: one.since)
    return own[-1].kind if own else "service"


def _there(life: Life, second: int, now: int) -> bool:
    return life.start <= second < _end(life, now)


def _end(life: Life, now: int) -> int:
    return int(max(life.start, now if life.end is None else life.end))
