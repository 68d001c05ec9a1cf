"""On which terms somebody pays for a service or a machine, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from poorwill.core.price import Price


@dataclass(frozen=True, slots=True)
class Terms:
    """A snapshot, in the journal from the moment that it was in force, so that a later price changes nothing
    about the past, unless it says so.

    ``since`` is seconds since the epoch on the ledger's axis. ``price`` None: nobody said what it costs.
    ``machine`` is what it runs on, empty for what runs elsewhere: a machine is paid for once, and what is on
    it shares that.
    """

    payer: str
    since: float
    price: Price | None = None
    machine: str = ""
    kind: str = "service"
    """``service``, ``job`` or ``machine``."""
    place: str = ""
    """Who is paid, or at least where it is: the cloud, or the provider that starts it."""
    counts_from: float | None = None
    """From when on the price counts, where it was said; only of terms as they were stated."""

    @property
    def corrects(self) -> bool:
        """Whether the price counts for a time before it was stated."""
        return self.counts_from is not None and self.counts_from < self.since


def in_force(stated: Iterable[Terms], now: float) -> tuple[Terms, ...]:
    """What held when, up to now, by all that was stated, in that order.

    A price that says since when it counts replaces what was stated before for that time, back or ahead; where
    something runs is never changed for the past.
    """
    by_payer: dict[str, list[Terms]] = defaultdict(list)
    for one in stated:
        by_payer[one.payer].append(one)
    return tuple(one for own in by_payer.values() for one in _held(own) if one.since <= now)


def _held(stated: Sequence[Terms]) -> Iterator[Terms]:
    """The terms of one payer. What was before its first terms is known to nobody, whatever price counts."""
    prices: dict[float, Terms] = {}
    first = min(one.since for one in stated)
    for one in stated:
        if one.counts_from is None:
            start = one.since
            prices = {at: each for at, each in prices.items() if at <= max(start, each.since)}
        else:
            start = max(first, one.counts_from)
            prices = {at: each for at, each in prices.items() if at < start}
        prices[start] = one
    places = {one.since: one for one in stated}
    for at in sorted({*places, *prices}):
        place = places[max(since for since in places if since <= at)]
        said = max((since for since in prices if since <= at), default=None)
        price = None if said is None else prices[said].price
        yield replace(place, since=at, price=price, counts_from=None)
