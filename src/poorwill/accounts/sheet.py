"""What it cost, as CSV: for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from poorwill.accounts.account import Account, as_json

COLUMNS = (
    "period",
    "since",
    "until",
    "kind",
    "name",
    "on",
    "seconds",
    "paid_seconds",
    "starts",
    "amount",
    "currency",
    "typical",
    "unconfirmed_seconds",
)


def sheet(found: Iterable[Account]) -> str:
    """One line for each time and each service, job, machine and cost. An unknown amount is empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    for account in found:
        writer.writerows(_rows(as_json(account)))
    return out.getvalue()


def _rows(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    period = told["period"]
    time = {"period": period["name"], "since": period["since"], "until": period["until"]}
    for line in (*told["services"], *told["machines"]):
        yield {**time, **line, "amount": _plain(line["amount"]), "typical": str(line["typical"]).lower()}
    for item in told["costs"]:
        yield {**time, **item, "kind": "cost", "on": item["for"], "amount": _plain(item["amount"])}


def _plain(amount: float | None) -> str:
    """Without an exponent, which spreadsheets in other languages do not read."""
    return "" if amount is None else f"{Decimal(repr(amount)):f}"
