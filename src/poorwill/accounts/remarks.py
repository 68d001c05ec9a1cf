"""What somebody has to know who is to believe the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from poorwill.accounts.asked import Asked
from poorwill.accounts.books import Books
from poorwill.accounts.priceless import Priceless, priceless
from poorwill.config import format_duration
from poorwill.core.bill import Line

LEAST = 1.0
"""Seconds; what is shorter is not worth a word."""
RESTART = 60.0
"""The same of the time in which no Poorwill ran."""


def remarks(books: Books, asked: Asked, lines: Sequence[Line]) -> Iterator[str]:
    yield from _reach(books, asked)
    yield from _alone(books, asked, lines)
    for each in priceless(books, asked, lines):
        yield _without(books, each)
    for payer in dict.fromkeys(line.machine or line.name for line in lines if line.typical):
        yield f"{payer} is counted at a typical price{_source(books, payer)}; state your own with per_hour"
    for line in lines:
        if line.unconfirmed >= LEAST:
            span = format_duration(line.unconfirmed)
            yield f"for {span} nobody could tell whether {line.name} was there; it is counted"
        if line.backdated >= LEAST:
            span = format_duration(line.backdated)
            yield f"the price of {line.name} was only stated later; {span} before that are counted at it"
    yield from _corrected(books, asked, lines)
    for name, rate in books.statement.rates.items():
        if any(line.currency == name for line in lines):
            yield f"1 {name} is {rate.rate:f} {books.statement.currency}, as stated for {rate.date}"


def _reach(books: Books, asked: Asked) -> Iterator[str]:
    """Whether the journal knows of this time at all."""
    if asked.start > books.now:
        yield f"{asked.name} has not begun yet"
    elif books.begins is None:
        yield "the journal is empty: nothing ran yet"
    elif books.begins >= min(asked.stop, books.now):
        yield f"nothing is known of {asked.name}: the journal begins on {_day(books.begins, books)}"
    elif books.begins > asked.start and asked.start:
        lost = f", and {books.lost} lines before are missing" if books.lost else ""
        begins = f"the journal begins on {_day(books.begins, books)}{lost}"
        yield f"{begins}: what was before is not in these figures"
    if books.missing:
        lines = "1 line" if books.missing == 1 else f"{books.missing} lines"
        yield f"{lines} of the journal of this time are missing: what they told is not in these figures"


def _alone(books: Books, asked: Asked, lines: Sequence[Line]) -> Iterator[str]:
    alone = books.alone(asked)
    if alone >= RESTART and any(line.kind != "job" and line.currency for line in lines):
        span = format_duration(alone)
        yield f"for {span} no Poorwill ran, as far as its journal tells: nothing is counted as saved then"


def _without(books: Books, each: Priceless) -> str:
    if each.now:
        return f"{each.payer} has no price: say what an hour costs, price: {{per_hour: 3.90}}"
    start, stop = _day(each.start, books), _day(each.stop, books)
    day = start.split()[0]
    return (
        f"{each.payer} had no price from {start} to {stop}: "
        f"to count that too, say since when it has one, price: {{per_hour: 3.90, since: {day}}}"
    )


def _corrected(books: Books, asked: Asked, lines: Sequence[Line]) -> Iterator[str]:
    """Prices that were put right later, and what was before."""
    payers = {name for line in lines for name in (line.name, line.machine)}
    last = {one.payer: one for one in books.corrections if one.payer in payers}
    for payer, one in sorted(last.items()):
        start = one.since if one.counts_from is None else one.counts_from
        if start < min(asked.stop, books.now) and one.since > asked.start:
            said = f"the price of {payer} was corrected on {_day(one.since, books)}"
            yield f"{said}: it counts from {_day(start, books)} on"


def _source(books: Books, payer: str) -> str:
    named = [one.price.source for one in books.terms if one.payer == payer and one.price and one.price.source]
    return f" ({named[-1]})" if named else ""


def _day(wall: float, books: Books) -> str:
    return datetime.fromtimestamp(wall, ZoneInfo(books.statement.zone)).strftime("%Y-%m-%d %H:%M")
