"""A month looked back on: all that a review says, before it is put into words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from poorwill.accounts.awake import awake
from poorwill.accounts.figures import Figures, figures
from poorwill.accounts.record import Limit, Record, Savings
from poorwill.accounts.table import Row, counted, rows, totals
from poorwill.advisor.case import Case
from poorwill.advisor.suggest import suggestions
from poorwill.advisor.suggest_rest import suggest_budget
from poorwill.advisor.suggestion import Rate, Suggestion
from poorwill.core.budget import HOURS
from poorwill.core.period import Period
from poorwill.core.terms import Terms
from poorwill.store.event import Kind


@dataclass(frozen=True, slots=True)
class Review:
    """``since`` and ``until`` are the part of the month that something is known of; ``complete`` says that
    the month is over. ``empty``: there is nothing to tell. ``totals`` and ``before`` (of the month before)
    are by currency.
    """

    period: Period
    since: float
    until: float
    complete: bool
    use_known: bool
    rows: tuple[Row, ...]
    services: tuple[Figures, ...]
    totals: dict[str, Decimal]
    before: dict[str, Decimal]
    saved: tuple[Savings, ...]
    suggestions: tuple[Suggestion, ...]

    @property
    def empty(self) -> bool:
        return not any(one.there or one.troubles or one.cold for one in self.services) and not self.totals


def review(record: Record) -> Review:
    names = {line.name for line in record.lines} | {event.service for event in record.events}
    names |= {one.service for one in record.stretches if one.end > record.since}
    services = tuple(figures(record, name) for name in sorted(names) if name)
    services = tuple(one for one in services if one.there or one.troubles or one.cold or one.visits)
    table = rows(record, services)
    return Review(
        period=record.period,
        since=record.since,
        until=record.until,
        complete=record.complete,
        use_known=record.use_from is not None,
        rows=table,
        services=services,
        totals=totals(record),
        before=totals(replace(record, lines=record.before, items=())),
        saved=tuple(record.saved),
        suggestions=tuple(_suggestions(record, services, table)),
    )


def _suggestions(
    record: Record, services: tuple[Figures, ...], table: tuple[Row, ...]
) -> Iterator[Suggestion]:
    found = [
        one
        for figure in services
        if figure.visits is not None and figure.there
        for one in suggestions(case(record, figure), record.cards)
    ]
    yield from sorted(found, key=lambda one: (-(one.amount or 0), -one.hours))
    if not record.complete:
        return
    for row in table:
        if row.budget is not None and row.item != "cost":
            unit = "" if row.unit == HOURS else row.unit
            limit = Limit(row.name, row.budget, unit, row.rates)
            known = any(one.name == row.name for one in record.before)
            before = counted(limit, record.before) if known else None
            budget = suggest_budget(row.name, row.used, row.budget, unit, before)
            if budget:
                yield budget


def case(record: Record, figure: Figures) -> Case:
    """What suggestions about a service are computed from."""
    rules = record.services[figure.name]
    events = [one for one in record.events if one.service == figure.name]
    wakes = [
        float(seconds)
        for one in events
        if one.kind is Kind.READY
        and one.at >= record.period.start
        and isinstance(seconds := one.detail.get("seconds"), int | float)
    ]
    since = min(max(record.since, record.use_from or record.since), record.until - 1.0)
    lives = [one for one in record.lives if one.payer == figure.name]
    here = awake(lives, events, since, record.until)
    return Case(
        service=rules,
        stretches=[one for one in record.stretches if one.service == figure.name],
        since=since,
        until=record.until,
        zone=rules.timetable.zone if rules.timetable else record.period.zone,
        there=here.up + here.switching,
        wakes=wakes,
        ending=_ending(here.switching, wakes, figure.starts),
        rate=_rate(record.terms, figure.name),
        lone=rules.scale is None and figure.name not in record.needed,
    )


def _ending(switching: float, wakes: list[float], starts: int) -> float:
    """How long a stop takes: what is left of the coming and going without the starts."""
    return max(0.0, switching - sum(wakes)) / starts if starts else 0.0


def _rate(terms: Sequence[Terms], name: str) -> Rate:
    """The price that is in force last. What is on a machine has none of its own: its hours may not be the
    machine's.
    """
    own = [one for one in terms if one.payer == name]
    newest = max(own, key=lambda one: one.since, default=None)
    price = newest.price if newest is not None and not newest.machine else None
    if price is None:
        return Rate()
    if price.per_hour is None and price.power is not None:
        return Rate(price.power.watts / 1000 * price.power.per_kwh, price.currency)
    return Rate(price.per_hour, price.currency)
