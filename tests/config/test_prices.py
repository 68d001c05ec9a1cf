"""Prices, costs and exchange rates in poorwill.yaml: what is wrong and where, and what they mean."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.config.reading import PROVIDERS, ProblemsOf, SettingsOf, wrong_files

from poorwill.config import json_schema
from poorwill.config.currency import Amount, parse_amount
from poorwill.config.document import read
from poorwill.core.costs import Cost
from poorwill.core.price import Power, Price

RUN = "run: {process: {command: [x, '{port}']}}"
GOOD = f"""
currency: cny
timezone: Asia/Shanghai
costs:
  storage: {{amount: 35, budget: 50, per: month}}
  云盘: {{amount: 3.5 USD, for: a, per: day}}
exchange_rates: {{USD: {{rate: 7.12, date: 2026-11-20}}}}
services:
  a: {{hosts: [a.test], {RUN}, price: {{gpu: A10G, per_hour: 3.90, billed: minute, minimum: 90s}}}}
  b: {{hosts: [b.test], {RUN}, price: 0.5 USD}}
  c: {{hosts: [c.test], {RUN}, price: {{watts: 350, per_kwh: 0.62 EUR, measured: true, base_watts: 60}}}}
  d: {{hosts: [d.test], {RUN}, price: {{gpu: A10G, billed: hour}}}}
  e: {{hosts: [e.test], {RUN}, price: {{per_hour: 0, since: 2026-11-01 14:00}}}}
  f: {{hosts: [f.test], {RUN}}}
"""


@pytest.mark.parametrize(
    ("text", "expected"), list(wrong_files(Path(__file__).with_name("wrong_prices.txt")))
)
def test_every_problem_once_with_its_place(problems_of: ProblemsOf, text: str, expected: list[str]) -> None:
    found = [str(problem).removeprefix(f"{problem.file}:") for problem in problems_of(text)]
    assert found == [line for line in expected if line]


def test_what_they_mean(settings_of: SettingsOf) -> None:
    found = settings_of(GOOD)
    prices = {
        name: one.price.price(found.currency or "") for name, one in found.services.items() if one.price
    }
    own = Power(Decimal(350), Decimal("0.62"), measured=True, base_watts=Decimal(60))
    assert prices == {
        "a": Price("CNY", Decimal("3.90"), step=60, minimum=90, gpu="A10G"),
        "b": Price("USD", Decimal("0.5")),
        "c": Price("EUR", power=own, step=0),
        "d": Price("CNY", step=3600, gpu="A10G", typical=True),
        "e": Price("CNY", Decimal(0)),
    }
    assert [one.price.since for one in found.services.values() if one.price and one.price.since] == [
        datetime(2026, 11, 1, 14)  # noqa: DTZ001
    ]
    costs = [one.cost(name, "CNY", found.timezone) for name, one in found.costs.items()]
    assert costs == [
        Cost("storage", Decimal(35), "CNY", "month", "Asia/Shanghai", Decimal(50)),
        Cost("云盘", Decimal("3.5"), "USD", "day", "Asia/Shanghai", service="a"),
    ]
    assert found.exchange_rates["USD"].rate == Decimal("7.12")
    assert found.exchange_rates["USD"].date == date(2026, 11, 20)


def test_an_editor_takes_it_too() -> None:
    validator = Draft202012Validator(json_schema(PROVIDERS))
    assert not list(validator.iter_errors(read(GOOD, {}).value))


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        (3.90, Amount(Decimal("3.9"))),
        (4, Amount(Decimal(4))),
        (1e-05, Amount(Decimal("0.00001"))),
        ("3.90", Amount(Decimal("3.90"))),
        ("3.90 CNY", Amount(Decimal("3.90"), "CNY")),
        ("3.90CNY", Amount(Decimal("3.90"), "CNY")),
        ("usd 0.5", Amount(Decimal("0.5"), "USD")),
    ],
)
def test_amounts_as_people_write_them(written: Any, amount: Amount) -> None:
    assert parse_amount(written) == amount


@given(st.decimals(0, 10**9, places=5))
def test_a_number_is_exactly_what_was_written(settings_value: Decimal) -> None:
    written = read(f"a: {settings_value:f}", {}).value["a"]
    assert parse_amount(written).value == settings_value
