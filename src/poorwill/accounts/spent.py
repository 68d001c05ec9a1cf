"""What was spent in some periods, for budgets: read from the books, in a thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from poorwill.accounts import books
from poorwill.accounts.books import Books
from poorwill.core.ahead import Going, going
from poorwill.core.bill import Line
from poorwill.core.growth import Growth
from poorwill.core.life import Life
from poorwill.core.period import Period
from poorwill.core.price import Price


@dataclass(frozen=True, slots=True)
class Spent:
    """``lines`` of each period that was asked for, those of fixed costs without a name. ``going`` is what
    goes on in those that are not over. ``since`` is from when on anything is known of each payer, in seconds
    since the epoch. ``prices`` are those in force.
    """

    lines: Mapping[Period, tuple[Line, ...]] = field(default_factory=dict)
    going: Mapping[Period, tuple[Going, ...]] = field(default_factory=dict)
    since: Mapping[str, float] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)

    def known_since(self, payer: str) -> float | None:
        """For everything together (empty) the first moment of all."""
        return self.since.get(payer) if payer else min(self.since.values(), default=None)


Read = Callable[[Path, Sequence[Period], float], Spent]
"""The state folder, the periods, and what the time is. Blocks; raises StateError."""


def read(folder: Path, periods: Sequence[Period], now: float) -> Spent:
    """What was spent up to now in these periods. Raises StateError when the journal cannot be read."""
    since = min((period.start for period in periods), default=now)
    found = books.read(folder, since, now, now)
    lines: dict[Period, tuple[Line, ...]] = {}
    ahead: dict[Period, tuple[Going, ...]] = {}
    for period in periods:
        few = near(found, period)
        lines[period] = (*few.lines(period), *_costs(found, period))
        if period.start <= now < period.stop:
            goes_on = going(few.lives, found.terms, found.meters, period.start, now)
            ahead[period] = (*goes_on, *_costs_ahead(found))
    prices = {terms.payer: terms.price for terms in found.terms}  # the last of each
    stated = {payer: price for payer, price in prices.items() if price is not None}
    return Spent(lines, ahead, _known(found), stated)


def near(found: Books, period: Period) -> Books:
    """With only those lives that matter for this time, so that the bill of a day does not look at a month.

    What is on a machine matters for as long as the machine's lives go that reach into the time.
    """
    machines = {terms.payer for terms in found.terms if terms.kind == "machine"}
    start, stop = period.start, period.stop
    for life in found.lives:
        if life.payer in machines and _overlaps(life, period.start, period.stop):
            start, stop = min(start, life.start), max(stop, found.now if life.end is None else life.end)
    return replace(found, lives=tuple(life for life in found.lives if _overlaps(life, start, stop)))


def _overlaps(life: Life, start: float, stop: float) -> bool:
    return life.start <= stop and (life.end is None or life.end >= start)


def _costs(found: Books, period: Period) -> list[Line]:
    """What is paid by the calendar counts in a budget for everything only."""
    return [
        Line("", "cost", 0.0, 0.0, one.amount, one.cost.currency) for one in found.fixed(period) if one.amount
    ]


def _costs_ahead(found: Books) -> list[Going]:
    held = (cost for cost in found.costs if cost.until is None)
    return [Going("", cost.currency, Growth(cost.per_micro(found.now))) for cost in held]


def _known(found: Books) -> Mapping[str, float]:
    since: dict[str, float] = {}
    for terms in found.terms:
        since.setdefault(terms.payer, terms.since)
    for life in found.lives:
        since[life.payer] = min(life.start, since.get(life.payer, life.start))
    return since
