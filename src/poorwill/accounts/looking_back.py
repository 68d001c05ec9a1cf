"""The record of a month, from the journal and the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from poorwill.accounts.books import Books, read
from poorwill.accounts.cards import cards
from poorwill.accounts.record import KINDS, Item, Record, Savings
from poorwill.accounts.spent import counted
from poorwill.config import Settings
from poorwill.config.bounds import all_budgets
from poorwill.config.exchange import exchanges
from poorwill.core.bill import Line
from poorwill.core.budget import Budget
from poorwill.core.model import Service
from poorwill.core.period import Per, Period, period_from, period_of
from poorwill.core.spans import clip
from poorwill.core.statement import Exchange
from poorwill.store.archive import Archive
from poorwill.store.event import Event, Kind
from poorwill.store.journal import read_only

LEAST = 60.0
"""Seconds for which no Poorwill ran that are worth a word: a restart is no gap."""
LATER = 7 * 86400.0
"""Seconds after the month in which it is still looked for how something ended."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says that a review needs: the rules of the services with visitors, which of
    them others need, the budgets, and what other currencies are worth in them.
    """

    services: Mapping[str, Service] = field(default_factory=dict)
    needed: frozenset[str] = frozenset()
    budgets: tuple[Budget, ...] = ()
    rates: Mapping[str, Exchange] = field(default_factory=dict)


def rules_of(settings: Settings) -> Rules:
    needed = {need for service in settings.services.values() for need in service.needs}
    return Rules(
        services={name: service.rules(settle=0.0) for name, service in settings.visited.items()},
        needed=frozenset(needed),
        budgets=tuple(budget for budgets in all_budgets(settings).values() for budget in budgets),
        rates=exchanges(settings.exchange_rates),
    )


def month_before(period: Period) -> Period:
    return period_from(Per.MONTH, period.first - timedelta(days=1), period.zone)


def record(folder: Path, period: Period, now: float, rules: Rules) -> Record:
    """``folder`` is the state folder, whether or not a Poorwill runs. Blocks.

    Raises StateError when there is no journal, or none that this version can read.
    """
    before = month_before(period)
    times = _times(rules.budgets, period, now)
    books = read(folder, before.start, max([period.stop, *(one.stop for one in times)]), now)
    with read_only(folder) as archive:
        events = [
            *_ready_before(archive, books, period),
            *archive.between(KINDS, period.start, min(period.stop + LATER, now)),
        ]
    begins = now if books.begins is None else books.begins
    lines = books.lines(period)
    lines_before = books.lines(before) if begins <= before.start else ()  # half a month is no measure
    return Record(
        period=period,
        now=now,
        known_from=begins,
        use_from=_use_from(books),
        lives=books.lives,
        stretches=books.stretches,
        terms=books.terms,
        events=events,
        lines=lines,
        before=lines_before,
        saved=tuple(_saved(books, lines, period)),
        services=rules.services,
        needed=rules.needed,
        items=tuple(_items(books, period)),
        budgets=rules.budgets,
        spent={one: counted(books, one) for one in times if one.stop > begins},
        rates=rules.rates,
        cards=cards(),
        gaps=tuple(gap for gap in clip(books.absent, period.start, period.stop) if gap[1] - gap[0] >= LEAST),
    )


def _times(budgets: Iterable[Budget], month: Period, now: float) -> list[Period]:
    """The periods of the budgets that end in the month and have begun."""
    found = []
    for per, zone in {(one.per, one.zone): None for one in budgets}:
        whole = period_from(Per.MONTH, month.first, zone)
        one = period_from(per, month.first, zone)
        while one.stop <= whole.stop and one.start < now:
            found.append(one)
            one = period_of(per, one.stop, zone)
    return found


def _ready_before(archive: Archive, books: Books, period: Period) -> Iterator[Event]:
    """When lives that reach into the month from before it could first be used."""
    start = period.start
    early = [life for life in books.lives if life.start < start and (life.end is None or life.end > start)]
    begun = {(life.payer, life.instance): life.start for life in early}
    for event in archive.between((Kind.READY,), min(begun.values(), default=start), start):
        if begun.get((event.service, event.instance), start) <= event.at:
            yield event


def _use_from(books: Books) -> float | None:
    """Terms and use are written down since the same version."""
    first = [*(one.since for one in books.terms), *(one.start for one in books.stretches)]
    return min(first, default=None)


def _saved(books: Books, lines: Sequence[Line], period: Period) -> Iterator[Savings]:
    """By currency."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for one in books.saved(period, lines):
        amount, always = sums.get(one.currency, (Decimal(0), Decimal(0)))
        sums[one.currency] = amount + one.amount, always + one.always
    for currency, (amount, always) in sorted(sums.items()):
        yield Savings(amount, always, currency)


def _items(books: Books, period: Period) -> Iterator[Item]:
    for one in books.fixed(period):
        cost = one.cost
        whole = cost.amount if cost.per != Per.MONTH or books.now < period.stop else None
        whole = None if cost.budget is None else whole
        yield Item(cost.name, one.amount, cost.currency, cost.budget, cost.service, whole, cost.per)
