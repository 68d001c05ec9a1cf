"""What a time cost, as the command line and the admin API tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from poorwill.accounts.asked import Asked
from poorwill.accounts.books import Books
from poorwill.accounts.remarks import remarks
from poorwill.core.bill import Line
from poorwill.core.costs import Fixed
from poorwill.core.money import by_currency
from poorwill.core.saved import Saved
from poorwill.core.statement import Statement
from poorwill.core.tariff import Tariff, micros

Json = dict[str, Any]

HOW_SAVED = (
    "what one instance would have cost all the time that it was configured and a Poorwill ran, at the prices "
    "in force, without what it did cost; machines count once, jobs do not count"
)


@dataclass(frozen=True, slots=True)
class Account:
    """``lines`` has who was there, and who else is configured. ``until`` is ``now`` at the latest.

    Empty ``total`` and ``saved_total`` mean that nobody knows a price.
    """

    asked: Asked
    until: float
    statement: Statement
    lines: tuple[Line, ...]
    fixed: tuple[Fixed, ...]
    saved: tuple[Saved, ...]
    remarks: tuple[str, ...]

    @property
    def total(self) -> dict[str, Decimal]:
        """By currency, which are never added."""
        amounts = [(one.currency, one.amount) for one in self.lines]
        fixed = ((one.cost.currency, one.amount) for one in self.fixed)
        return dict(sorted(by_currency([*amounts, *fixed]).items()))

    @property
    def saved_total(self) -> dict[str, Decimal]:
        return dict(sorted(by_currency((one.currency, one.amount) for one in self.saved).items()))


def account(books: Books, asked: Asked, name: str = "") -> Account:
    """``asked`` is within the time of the books. With ``name`` only of this service, or of this machine: then
    its amount is the whole, with the parts of what is on it.
    """
    until = min(asked.stop, books.now)
    lines = books.lines(asked)
    won = books.saved(asked, lines)
    lines = (*lines, *_absent(books, asked.start, until, {line.name for line in lines}))
    return Account(
        asked=asked,
        until=until,
        statement=books.statement,
        lines=tuple(sorted(_wanted(lines, name), key=lambda one: one.name)),
        fixed=tuple(one for one in books.fixed(asked) if name in ("", one.cost.service)),
        saved=tuple(one for one in won if name in ("", one.name)),
        remarks=tuple(remarks(books, asked, [one for one in lines if name in ("", one.name)])),
    )


def _wanted(lines: Iterable[Line], name: str) -> Iterable[Line]:
    if not name:
        return lines
    return (
        line if line.whole is None else replace(line, amount=line.whole)
        for line in lines
        if line.name == name
    )


def _absent(books: Books, start: float, until: float, there: set[str]) -> Iterable[Line]:
    """A line of nothing for everybody else, in the currency in which it would have paid; not where nobody
    knows whether it was nothing.
    """
    tariff = Tariff(books.terms)
    if until <= max(start, start if books.begins is None else books.begins):
        return
    for payer in books.statement.payers:
        if payer not in there and payer in tariff.payers:
            *_, last = tariff.rates(payer, micros(start), micros(until))
            amount = Decimal(0) if last.price else None
            kind = tariff.kind(payer)
            yield Line(payer, kind, 0.0, 0.0, amount, last.currency, machine=last.machine, on=last.on)


def as_json(account: Account) -> Json:
    """For ``--format json`` and the API. Amounts are numbers with six digits after the point at most."""
    zone = account.statement.zone
    return {
        "period": {
            "name": account.asked.name,
            "per": account.asked.per or None,
            "since": _iso(account.asked.start, zone),
            "until": _iso(account.until, zone),
            "complete": account.until == account.asked.stop,
        },
        "currency": account.statement.currency or None,
        "services": [_line(one) for one in account.lines if one.kind != "machine"],
        "machines": [
            {**_line(one), "whole": _number(one.whole), "shares": _shares(one)}
            for one in account.lines
            if one.kind == "machine"
        ],
        "costs": [_fixed(one) for one in account.fixed],
        "total": [{"currency": unit, "amount": _number(amount)} for unit, amount in account.total.items()],
        "converted": _converted(account.total, account.statement),
        "saved": {
            "how": HOW_SAVED,
            "total": [
                {"currency": unit, "amount": _number(one)} for unit, one in account.saved_total.items()
            ],
            "services": [_saved(one, zone) for one in account.saved],
        },
        "remarks": list(account.remarks),
    }


def side_by_side(found: Sequence[Json]) -> Json:
    """A single time alone; else the last of today, week and month, with the others beside it."""
    if len(found) == 1:
        return found[0]
    today, week, month = found
    return {**month, "today": today, "week": week}


def converted(total: Mapping[str, Decimal], statement: Statement) -> Decimal | None:
    """All of it in the file's currency, by the rates that the user states; None without one for each."""
    known = {name: one.rate for name, one in statement.rates.items()} | {statement.currency: Decimal(1)}
    if len(total) < 2 and set(total) <= {statement.currency}:
        return None
    if not statement.currency or any(unit not in known for unit in total):
        return None
    return sum((amount * known[unit] for unit, amount in total.items()), Decimal(0))


def _converted(total: Mapping[str, Decimal], statement: Statement) -> Json | None:
    amount = converted(total, statement)
    if amount is None:
        return None
    used = {unit: statement.rates[unit] for unit in total if unit != statement.currency}
    rates = [{"currency": unit, "rate": _number(one.rate), "date": one.date} for unit, one in used.items()]
    return {"currency": statement.currency, "amount": _number(amount), "rates": rates}


def _line(line: Line) -> Json:
    return {
        "name": line.name,
        "kind": line.kind,
        "seconds": round(line.seconds, 3),
        "paid_seconds": round(line.paid_seconds, 3),
        "starts": line.starts,
        "amount": _number(line.amount),
        "currency": line.currency or None,
        "on": line.on or None,
        "typical": line.typical,
        "unconfirmed_seconds": round(line.unconfirmed, 3),
        "backdated_seconds": round(line.backdated, 3),
    }


def _shares(line: Line) -> list[Json]:
    return [{"name": name, "amount": _number(part)} for name, part in line.shares]


def _fixed(one: Fixed) -> Json:
    cost = one.cost
    return {
        "name": cost.name,
        "for": cost.service or None,
        "amount": _number(one.amount),
        "currency": cost.currency,
        "per": cost.per,
        "whole": _number(cost.amount),
        "budget": _number(cost.budget),
    }


def _saved(one: Saved, zone: str) -> Json:
    return {
        "name": one.name,
        "kind": one.kind,
        "since": _iso(one.since, zone),
        "always": _number(one.always),
        "cost": _number(one.cost),
        "amount": _number(one.amount),
        "currency": one.currency,
    }


def _number(amount: Decimal | None) -> float | None:
    """To the millionth: a float has the digits for that up to a thousand million."""
    return None if amount is None else float(round(amount, 6))


def _iso(wall: float, zone: str) -> str:
    return datetime.fromtimestamp(wall, ZoneInfo(zone)).isoformat(timespec="seconds")
