"""What it cost, in the columns of FOCUS, which FinOps tools read.

FOCUS is the FinOps Open Cost and Usage Specification, version 1.2 (https://focus.finops.org, CC BY 4.0). A
row is what one resource cost in one day. Poorwill has no price list and sends no invoices, so there are the
columns that are mandatory and those that say what ran. What nobody knows the price of has no row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
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
    for line in books.lines(day):
        if line.amount is not None and (line.seconds or line.amount) and name in ("", line.name):
            yield {**_periods(day, month), **_usage(line, _terms(books, line.name, day.stop))}
    for item in books.fixed(day):
        if name in ("", item.cost.service):
            yield {**_periods(day, month), **_purchase(item)}


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


def _usage(line: Line, terms: Terms) -> dict[str, str]:
    gpu = terms.price.gpu if terms.price else ""
    machine = f" on {line.machine}" if line.machine else ""
    return {
        **_costs(line.amount or Decimal(0), line.currency),
        **_parties(terms.place or "self-hosted"),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "ChargeDescription": f"{line.kind} {line.name}{machine}: {line.seconds / 3600:.2f} h",
        "ConsumedQuantity": _number(Decimal(repr(line.seconds)) / _HOUR),
        "ConsumedUnit": "Hours",
        "PricingQuantity": _number(Decimal(repr(line.paid_seconds)) / _HOUR),
        "PricingUnit": "Hours",
        "ResourceId": line.name,
        "ResourceName": line.name,
        "ResourceType": line.kind.capitalize(),
        "ServiceCategory": "Compute",
        "ServiceName": f"{gpu or terms.place or 'self-hosted'} instance",
        "ServiceSubcategory": "Other (Compute)",
        "x_Machine": line.machine,
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
