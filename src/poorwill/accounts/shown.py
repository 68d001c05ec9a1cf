"""A review in words: what the page and the mail show, the same in both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from poorwill.accounts.figures import Figures
from poorwill.accounts.record import Savings
from poorwill.accounts.review import Review
from poorwill.accounts.shown_service import Part, part
from poorwill.accounts.shown_suggestion import Advised, advised
from poorwill.accounts.shown_table import Cells, cells
from poorwill.accounts.words import Words, duration, hours, month, percent, quantity, stamp, words
from poorwill.advisor.suggestion import LEAST_DAYS, LEAST_SHARE, WAIT_WORTH
from poorwill.core.money import money_text, rounded

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the figures at the top: ``note`` says what to compare it with."""

    label: str
    value: str
    note: str = ""


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
        rows=tuple(cells(row, say) for row in review.rows),
        parts=tuple(part(one, review.period.zone, say) for one in review.services),
        suggestions=tuple(advised(one, say) for one in review.suggestions),
        no_suggestion=_no_suggestion(review, say),
        how=tuple(_how(review, say)),
    )


def _notes(review: Review, say: Words) -> Iterator[str]:
    zone = review.period.zone
    if review.empty:
        key = "empty" if review.known else "nothing_known"
        yield say[key].format(month=month(say, review.period))
    if not review.complete:
        yield say["incomplete"].format(until=stamp(say, review.until, zone))
    if not review.known:
        return
    if review.since > review.period.start:
        yield say["since"].format(since=stamp(say, review.since, zone))
    if review.unknown:
        yield say["gaps"].format(time=duration(say, review.unknown))
    if review.empty:
        return
    if not review.use_known:
        yield say["use_unknown"]


def _tiles(review: Review, say: Words) -> Iterator[Tile]:
    for currency, amount in review.totals.items():
        before = review.before.get(currency)
        notes = [_compared(amount, before, say) if review.complete else ""]
        if fixed := review.fixed.get(currency):
            notes.append(say["tile.fixed"].format(amount=money_text(fixed, currency)))
        yield Tile(say["tile.spent"], quantity(say, amount, currency), say["and"].join(filter(None, notes)))
    for saved in review.saved:
        always = money_text(saved.always, saved.currency)
        share = percent(saved.amount / saved.always) if saved.always else "0"
        note = say["tile.of_always"].format(share=share, always=always)
        yield Tile(say["tile.saved"], money_text(saved.amount, saved.currency), note)
    there = [one for one in review.services if one.kind != "machine"]
    awake = sum(one.there for one in there)
    before = None if review.hours_before is None else Decimal(repr(review.hours_before))
    note = _compared(Decimal(repr(awake / 3600)), before, say) if review.complete else ""
    yield Tile(say["tile.hours"], hours(say, awake / 3600), note)
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


def _compared(amount: Decimal, before: Decimal | None, say: Words) -> str:
    if before is None or before <= 0:
        return ""
    change = amount / before - 1
    share = percent(abs(change))
    if share == "0":
        return say["tile.same"]
    return say["tile.more" if change > 0 else "tile.less"].format(share=share)


def _no_suggestion(review: Review, say: Words) -> str:
    if review.until - review.since < LEAST_DAYS * DAY or not review.use_known:
        return say["advise.too_little"].format(days=LEAST_DAYS)
    return say["advise.none"]


def _sum(saved: Savings) -> dict[str, str]:
    """What adds up as it is shown, too."""
    always, amount = rounded(saved.always, saved.currency), rounded(saved.amount, saved.currency)
    parts = {"always": always, "cost": always - amount, "amount": amount}
    return {name: money_text(part, saved.currency) for name, part in parts.items()}


def _budgets(review: Review, say: Words) -> Iterator[str]:
    """What has to be known about the budgets in the table."""
    if any(row.budget is not None and row.item != "cost" for row in review.rows):
        yield say["how.budgets"]
    for one in review.rates:
        told = {"currency": one.currency, "unit": one.unit, "rate": f"{one.rate:f}", "date": one.date}
        yield say["how.rate"].format(**told)
    if review.uncounted:
        yield say["how.uncounted"].format(names=say["and"].join(review.uncounted))


def _how(review: Review, say: Words) -> Iterator[str]:
    yield say["how.paid"]
    if review.use_known:
        yield say["how.use"]
        yield say["heat.how"].format(zone=review.period.zone)
    for saved in review.saved:
        yield say["how.saved"].format(**_sum(saved))
    yield from _budgets(review, say)
    named: Mapping[str, list[Figures]] = {
        "how.typical": [one for one in review.services if one.typical],
        "how.no_price": [one for one in review.services if not one.amounts and one.there],
    }
    for key, services in named.items():
        if services:
            yield say[key].format(names=say["and"].join(one.name for one in services))
    if len(review.totals) > 1:
        yield say["how.currencies"]
    if review.suggestions:
        share = percent(LEAST_SHARE)
        yield say["how.advise"].format(worth=f"{WAIT_WORTH:g}", share=share)
