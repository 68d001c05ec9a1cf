"""FOCUS 1.2: every column as its specification wants it, and the figures those of the bill."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.accounts.written import ZONE, Line, life, terms, wall, whole, write

from poorwill.accounts.asked import Asked, asked
from poorwill.accounts.books import Books, read
from poorwill.accounts.focus import COLUMNS, focus
from poorwill.core.costs import Cost
from poorwill.core.price import Power, Price
from poorwill.store.journal import Entry, Kind

SPEC: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).parents[1].joinpath("data/focus_1_2.toml").read_text(encoding="utf-8")
)
FORMATS = {
    "numeric": r"-?\d+(\.\d+)?(E-?\d+)?",
    "currency": "[A-Z]{3}",
    "datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "unit": "Hours|Days|Weeks|Months|Years",
}
NOW = wall("2025-03-20 12:00")
MONTH = asked(NOW, ZONE, month="2025-03")
Row = dict[str, str]


def recorded() -> list[Line]:
    costs = [
        Cost("storage", Decimal(31), "USD", "month", ZONE),
        Cost("disk", Decimal(7), "CNY", "week", ZONE, service="kb"),
    ]
    return [
        whole("2025-03-01", "gpu", "kb", "report", "own", "free", costs=[one.as_json() for one in costs]),
        terms("2025-03-01", "gpu", Price("CNY", Decimal("1.98"), step=3600), kind="machine", place="autodl"),
        terms("2025-03-01", "kb", on="gpu", place="compose"),
        terms("2025-03-01", "report", Price("USD", Decimal("0.1"), gpu="A10G", typical=True), kind="job"),
        terms("2025-03-01", "own", Price("CNY", power=Power(Decimal(350), Decimal("0.62")), step=0)),
        terms("2025-03-01", "free"),
        *life("gpu", "2025-03-09 22:10", "2025-03-10 02:00"),
        *life("kb", "2025-03-09 22:15", "2025-03-10 01:50"),
        *life("report", "2025-03-11 06:00", "2025-03-11 06:10"),
        *life("own", "2025-03-12 06:00", "2025-03-12 16:10"),
        *life("free", "2025-03-12 06:00", "2025-03-12 16:10"),
    ]


async def books(folder: Path) -> tuple[Books, Asked]:
    assert MONTH
    return read(await write(folder / "state", recorded()), MONTH.start, MONTH.stop, NOW), MONTH


def broken(row: Row) -> list[str]:
    """What the specification does not allow about a row."""
    found = []
    for name, value in row.items():
        if name.startswith("x_"):
            continue
        rule = SPEC[name]
        if not value:
            if not rule["nulls"]:
                found.append(f"{name} is null")
            continue
        if "format" in rule and not re.fullmatch(FORMATS[rule["format"]], value):
            found.append(f"{name} is {value}")
        if "allowed" in rule and value not in rule["allowed"]:
            found.append(f"{name} is {value}")
    usage, purchase = row["ChargeCategory"] == "Usage", row["ChargeCategory"] == "Purchase"
    if (usage or purchase) and not row["PricingQuantity"]:
        found.append("PricingQuantity is null")
    if bool(row["PricingQuantity"]) != bool(row["PricingUnit"]):
        found.append("a quantity without a unit")
    if usage != bool(row["ConsumedQuantity"]) or bool(row["ConsumedQuantity"]) != bool(row["ConsumedUnit"]):
        found.append("what was consumed is told of usage, and only of that")
    if purchase and row["ChargeFrequency"] == "Usage-Based":
        found.append("a purchase is not usage-based")
    if bool(row["ResourceId"]) != bool(row["ResourceType"]):
        found.append("a resource has a type")
    if (
        not row["BillingPeriodStart"]
        <= row["ChargePeriodStart"]
        < row["ChargePeriodEnd"]
        <= row["BillingPeriodEnd"]
    ):
        found.append("the charge is not within its month")
    if not row["BilledCost"] == row["ListCost"] == row["ContractedCost"] == row["EffectiveCost"]:
        found.append("there are no discounts")
    return found


def test_the_columns_are_those_of_the_specification() -> None:
    own = [name for name in COLUMNS if name.startswith("x_")]
    known = [name for name in COLUMNS if name not in own]
    assert set(known) <= set(SPEC)
    assert {name for name, rule in SPEC.items() if rule["level"] == "Mandatory"} <= set(known)
    assert list(COLUMNS) == sorted(known) + sorted(own)


async def test_every_row_is_as_the_specification_wants_it(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(focus(*await books(tmp_path), "gateway-1"))))
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Purchase"}
    assert [(row["ResourceName"], *broken(row)) for row in rows if broken(row)] == []
    categories: dict[str, set[str]] = {}
    for row in rows:
        categories.setdefault(row["ServiceName"], set()).add(row["ServiceCategory"])
    assert all(len(each) == 1 for each in categories.values())
    spoiled = {"BilledCost": "1,5", "BillingCurrency": "", "ChargeClass": "None", "PricingUnit": "hours"}
    for name, value in spoiled.items():
        assert broken({**rows[0], name: value}), name


async def test_rows_are_days_of_the_users_own_clock(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(focus(*await books(tmp_path), "gateway-1", "kb"))))
    usage = [row for row in rows if row["ChargeCategory"] == "Usage"]
    assert [(row["ChargePeriodStart"], row["ChargePeriodEnd"]) for row in usage] == [
        ("2025-03-08T16:00:00Z", "2025-03-09T16:00:00Z"),
        ("2025-03-09T16:00:00Z", "2025-03-10T16:00:00Z"),
    ]
    assert {row["BillingPeriodStart"] for row in rows} == {"2025-02-28T16:00:00Z"}
    assert {(row["ProviderName"], row["x_Machine"]) for row in usage} == {("compose", "gpu")}
    assert [row["ConsumedQuantity"] for row in usage] == ["1.75", "1.833333333333"]
    assert {row["ServiceName"] for row in rows if row["ChargeCategory"] == "Purchase"} == {"disk"}


async def test_they_add_up_to_the_bill(tmp_path: Path) -> None:
    found, month = await books(tmp_path)
    rows = csv.DictReader(io.StringIO(focus(found, month, "gateway-1")))
    summed = {"CNY": Decimal(0), "USD": Decimal(0)}
    for row in rows:
        summed[row["BillingCurrency"]] += Decimal(row["BilledCost"])
    expected = {"CNY": Decimal(0), "USD": Decimal(0)}
    for line in found.lines(month):
        if line.amount is not None:
            expected[line.currency] += line.amount
    for item in found.fixed(month):
        expected[item.cost.currency] += item.amount
    for currency, amount in expected.items():
        assert abs(summed[currency] - amount) < Decimal("1e-9")
    assert expected["CNY"] > Decimal("7.92")


async def test_what_others_started_before_the_journal_began_has_its_days(tmp_path: Path) -> None:
    assert MONTH
    told = {"life": "a", "since": wall("2025-03-03")}
    lines = [
        whole("2025-03-05", "kb"),
        terms("2025-03-05", "kb", Price("CNY", Decimal(1))),
        ("2025-03-05", Entry(Kind.THERE, "kb", "kb-1", detail=told)),
        ("2025-03-06", Entry(Kind.GONE, "kb", "kb-1", detail={**told, "until": wall("2025-03-06")})),
    ]
    found = read(await write(tmp_path / "state", lines), MONTH.start, MONTH.stop, NOW)
    rows = list(csv.DictReader(io.StringIO(focus(found, MONTH, "gateway-1"))))
    assert [row["BilledCost"] for row in rows] == ["24", "24", "24"]
    assert sum(one.amount or 0 for one in found.lines(MONTH)) == 72
