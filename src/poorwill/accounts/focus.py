"""What it cost, in the columns of FOCUS, which FinOps tools read.

FOCUS is the FinOps Open Cost and Usage Specification, version 1.2 (https://focus.finops.org, CC BY 4.0). A
row is what one resource cost in one day. What is on a machine is bought where the machine is: of the
machine's hours it has as large a part as of its cost, so that hours add up like money. Poorwill has no price
list and sends no invoices, so there are the columns that are mandatory and those that say what ran. What
nobody knows the price of has no row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from poorwill.accounts.asked import Asked
from poorwill.accounts.books import Books
from poorwill.core.bill import Line
from poorwill.core.costs import Fixed
from poorwill.core.period import Per, Period, period_of
from poorwill.core.terms import Terms

COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "x_Machine",
    "x_TypicalPrice",
    "x_UnconfirmedSeconds",
)
"""In the order of the alphabet; those of our own come last and begin with x_, as FOCUS wants it."""

_HOUR = Decimal(3600)
_UNITS = {"day": "Days", "week": "Weeks", "month": "Months", "year": "Years"}


def focus(books: Books, asked: Asked, gateway: str, name: str = "") -> str:
    """CSV; an empty field is null. ``gateway`` names who spends the money. With ``name`` only of this one."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for day in _days(books, asked):
        for row in _rows(books, day, name):
            writer.writerow({**dict.fromkeys(COLUMNS, ""), **row, "BillingAccountId": gateway})
    return out.getvalue()


def _days(books: Books, asked: Asked) -> Iterator[Asked]:
    """The days of the time that have begun, from when on anything is known: what others started may have
    begun before the journal.
    """
    known = min([books.begins or books.now, *(life.start for life in books.lives)])
    here, stop = max(asked.start, known), min(asked.stop, books.now)
    while here < stop:
        day = period_of(Per.DAY, here, books.statement.zone)
        yield Asked(str(day), here, min(day.stop, stop), "day")
        here = day.stop


def _rows(books: Books, day: Asked, name: str) -> Iterator[Mapping[str, str]]:
    month = period_of(Per.MONTH, day.start, books.statement.zone)
    lines = books.lines(day)
    machines = [line for line in lines if line.whole is not None]
    for line in lines:
        bought = _bought(line, machines)
        if (
            line.amount is not None
            and (bought.seconds or line.amount)
            and name in ("", line.name, line.machine)
        ):
            terms = _terms(books, line.on or line.name, day.stop)
            yield {**_periods(day, month), **_usage(line, bought, terms)}
    for item in books.fixed(day):
        if name in ("", item.cost.service):
            yield {**_periods(day, month), **_purchase(item)}


@dataclass(frozen=True, slots=True)
class _Bought:
    """The hours that a row stands for, in seconds: each is in one row."""

    seconds: Decimal
    paid: Decimal


def _bought(line: Line, machines: Sequence[Line]) -> _Bought:
    """Of a machine what is shared with nobody; of others what they had alone, and their parts of machines."""
    seconds, paid, aboard = (
        Decimal(repr(length)) for length in (line.seconds, line.paid_seconds, line.aboard)
    )
    if line.whole is not None:
        rest = (line.amount or Decimal(0)) / line.whole if line.whole else Decimal(1)
        return _Bought(seconds * rest, paid * rest)
    if not line.machine:
        return _Bought(seconds, paid)
    seconds, paid = seconds - aboard, paid - aboard
    for machine in machines:
        share = dict(machine.shares).get(line.name)
        if share and machine.whole and machine.currency == line.currency:
            part = share / machine.whole
            seconds += Decimal(repr(machine.seconds)) * part
            paid += Decimal(repr(machine.paid_seconds)) * part
    return _Bought(seconds, paid)


def _terms(books: Books, payer: str, until: float) -> Terms:
    known = [one for one in books.terms if one.payer == payer]
    before = [one for one in known if one.since < until]
    return (before or known)[-1 if before else 0]


def _periods(day: Asked, month: Period) -> dict[str, str]:
    return {
        "BillingPeriodStart": _moment(month.start),
        "BillingPeriodEnd": _moment(month.stop),
        "ChargePeriodStart": _moment(day.start),
        "ChargePeriodEnd": _moment(day.stop),
    }


def _usage(line: Line, bought: _Bought, terms: Terms) -> dict[str, str]:
    gpu = terms.price.gpu if terms.price else ""
    machine = f" on {line.on}" if line.on else ""
    return {
        **_costs(line.amount or Decimal(0), line.currency),
        **_parties(terms.place or "self-hosted"),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "ChargeDescription": f"{line.kind} {line.name}{machine}: {line.seconds / 3600:.2f} h",
        "ConsumedQuantity": _number(bought.seconds / _HOUR),
        "ConsumedUnit": "Hours",
        "PricingQuantity": _number(bought.paid / _HOUR),
        "PricingUnit": "Hours",
        "ResourceId": line.name,
        "ResourceName": line.name,
        "ResourceType": line.kind.capitalize(),
        "ServiceCategory": "Compute",
        "ServiceName": f"{gpu or terms.place or 'self-hosted'} instance",
        "ServiceSubcategory": "Other (Compute)",
        "x_Machine": line.on,
        "x_TypicalPrice": str(line.typical).lower(),
        "x_UnconfirmedSeconds": _number(Decimal(repr(line.unconfirmed))),
    }


def _purchase(item: Fixed) -> dict[str, str]:
    cost = item.cost
    part = item.amount / cost.amount if cost.amount else Decimal(0)
    whom = f" for {cost.service}" if cost.service else ""
    return {
        **_costs(item.amount, cost.currency),
        **_parties("self-hosted"),
        "ChargeCategory": "Purchase",
        "ChargeFrequency": "Recurring",
        "ChargeDescription": f"{cost.name}{whom}: a part of {cost.amount:f} {cost.currency} a {cost.per}",
        "PricingQuantity": _number(part),
        "PricingUnit": _UNITS[cost.per],
        "ServiceCategory": "Other",
        "ServiceName": cost.name,
        "ServiceSubcategory": "Other (Other)",
    }


def _costs(amount: Decimal, currency: str) -> dict[str, str]:
    """There are no discounts and nothing is paid in advance: all four are the same."""
    names = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")
    return {**dict.fromkeys(names, _number(amount)), "BillingCurrency": currency}


def _parties(place: str) -> dict[str, str]:
    return dict.fromkeys(("ProviderName", "PublisherName", "InvoiceIssuerName"), place)


def _number(value: Decimal) -> str:
    """Twelve digits after the point: days add up to their month to the cent many times over."""
    text = f"{round(value, 12):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(wall: float) -> str:
    return datetime.fromtimestamp(round(wall), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
