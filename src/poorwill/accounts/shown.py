"""A review in words: what the page and the mail show, the same in both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from poorwill.accounts.figures import Figures
from poorwill.accounts.review import Review
from poorwill.accounts.shown_service import Part, part
from poorwill.accounts.shown_suggestion import Advised, advised
from poorwill.accounts.table import Row
from poorwill.accounts.words import Words, duration, hours, month, percent, quantity, stamp, words
from poorwill.advisor.suggestion import LEAST_DAYS, LEAST_SHARE, WAIT_WORTH
from poorwill.core.budget import HOURS
from poorwill.core.money import money_text

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the figures at the top: ``note`` says what to compare it with."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cells:
    """One row of the table; ``state`` is an Advice, ``kind`` what the item is."""

    item: str
    used: str
    budget: str
    over: str
    advice: str
    state: str
    kind: str


@dataclass(frozen=True, slots=True)
class Shown:
    """``notes`` are what somebody must know before the figures, ``how`` what they mean. ``empty``: there is
    nothing but notes.
    """

    language: str
    say: Words
    title: str
    notes: tuple[str, ...]
    empty: bool
    tiles: tuple[Tile, ...]
    rows: tuple[Cells, ...]
    parts: tuple[Part, ...]
    suggestions: tuple[Advised, ...]
    no_suggestion: str
    how: tuple[str, ...]


def shown(review: Review, language: str) -> Shown:
    say = words(language)
    return Shown(
        language=language,
        say=say,
        title=say["title"].format(month=month(say, review.period)),
        notes=tuple(_notes(review, say)),
        empty=review.empty,
        tiles=tuple(_tiles(review, say)),
        rows=tuple(_cells(row, say) for row in review.rows),
        parts=tuple(part(one, review.period.zone, say) for one in review.services),
        suggestions=tuple(advised(one, say) for one in review.suggestions),
        no_suggestion=_no_suggestion(review, say),
        how=tuple(_how(review, say)),
    )


def _notes(review: Review, say: Words) -> Iterator[str]:
    zone = review.period.zone
    if review.empty:
        yield say["empty"].format(month=month(say, review.period))
    if not review.complete:
        yield say["incomplete"].format(until=stamp(say, review.until, zone))
    if review.empty:
        return
    if review.since > review.period.start:
        yield say["since"].format(since=stamp(say, review.since, zone))
    if not review.use_known:
        yield say["use_unknown"]


def _tiles(review: Review, say: Words) -> Iterator[Tile]:
    for currency, amount in review.totals.items():
        before = review.before.get(currency)
        note = _compared(amount, before, say) if review.complete else ""
        yield Tile(say["tile.spent"], money_text(amount, currency), note)
    for saved in review.saved:
        always = money_text(saved.always, saved.currency)
        share = percent(saved.amount / saved.always) if saved.always else "0"
        note = say["tile.of_always"].format(share=share, always=always)
        yield Tile(say["tile.saved"], money_text(saved.amount, saved.currency), note)
    there = [one for one in review.services if one.kind != "machine"]
    awake = sum(one.there for one in there)
    yield Tile(say["tile.hours"], hours(say, awake / 3600), _hours_before(review, say))
    visits = [one.visits for one in there if one.visits is not None]
    if visits:
        empty = sum(one.empty for one in visits)
        note = say["tile.of_hours"].format(share=percent(empty / awake)) if awake else ""
        yield Tile(say["tile.empty"], hours(say, empty / 3600), note)
        waited = sum(one.waiting.waited for one in visits)
        seconds = sum(one.waiting.seconds for one in visits)
        mean = say["tile.mean"].format(time=duration(say, seconds / waited)) if waited else ""
        yield Tile(
            say["tile.waited"], say["tile.requests"].format(n=waited), mean or say["tile.nobody_waited"]
        )


def _hours_before(review: Review, say: Words) -> str:
    there = [one for one in review.services if one.kind != "machine"]
    known = [one.before for one in there if one.before is not None]
    if not known or not review.complete:
        return ""
    now = sum(one.there for one in there)
    return _compared(Decimal(repr(float(now))), Decimal(repr(float(sum(known)))), say)


def _compared(amount: Decimal, before: Decimal | None, say: Words) -> str:
    if before is None or before <= 0:
        return ""
    change = amount / before - 1
    share = percent(abs(change))
    if share == "0":
        return say["tile.same"]
    return say["tile.more" if change > 0 else "tile.less"].format(share=share)


def _cells(row: Row, say: Words) -> Cells:
    kind = "hours" if row.unit == HOURS else "money"
    item = {
        "service": say[f"table.{kind}"].format(name=row.name),
        "total": say[f"table.total_{kind}"],
        "cost": row.name,
    }[row.item]
    over = row.used - row.budget if row.budget is not None else Decimal(0)
    advice = say[f"advice.{row.advice}"].format(
        share=percent(row.share or 0), over=quantity(say, over, row.unit)
    )
    return Cells(
        item=item,
        used=quantity(say, row.used, row.unit),
        budget="–" if row.budget is None else quantity(say, row.budget, row.unit),
        over="–" if row.budget is None else say["table.yes" if row.over else "table.no"],
        advice=advice,
        state=str(row.advice),
        kind=row.item,
    )


def _no_suggestion(review: Review, say: Words) -> str:
    if review.until - review.since < LEAST_DAYS * DAY or not review.use_known:
        return say["advise.too_little"].format(days=LEAST_DAYS)
    return say["advise.none"]


def _how(review: Review, say: Words) -> Iterator[str]:
    yield say["how.paid"]
    if review.use_known:
        yield say["how.use"]
        yield say["heat.how"].format(zone=review.period.zone)
    if review.saved:
        yield say["how.saved"]
    named: Mapping[str, list[Figures]] = {
        "how.typical": [one for one in review.services if one.typical],
        "how.no_price": [one for one in review.services if not one.amounts and one.there],
    }
    for key, services in named.items():
        if services:
            yield say[key].format(names=say["and"].join(one.name for one in services))
    if len(review.totals) > 1:
        yield say["how.currencies"]
        rates = {(row.unit, *rate) for row in review.rows for rate in row.rates if rate[0] in review.totals}
        for unit, currency, rate in sorted(rates):
            yield say["how.rate"].format(currency=currency, rate=f"{rate:f}", unit=unit)
    if review.suggestions:
        share = percent(LEAST_SHARE)
        yield say["how.advise"].format(worth=f"{WAIT_WORTH:g}", share=share)
