"""Budgets as people write them, whom they bind, and what an editor says about them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.config.reading import PROVIDERS, SettingsOf

from poorwill.config import json_schema, load
from poorwill.config.bounds import all_budgets, budget_warnings
from poorwill.core.budget import HOURS, AtLimit, Budget
from poorwill.core.period import Per
from poorwill.providers.registry import option_models

RUN = "run: {process: {command: [x, '{port}']}}"
FILE = f"""
timezone: Asia/Shanghai
currency: CNY
exchange_rates: {{USD: {{rate: 7.12, date: 2026-11-20}}}}
budget: {{amount: 4000, at_limit: no_wake}}
machines:
  gpu: {{process: {{command: [x]}}, price: {{per_hour: 10}}, budget: {{hours: 200}}, timezone: Europe/Berlin}}
services:
  notes:
    path: /notes
    {RUN}
    needs: [db]
    timezone: America/New_York
    price: {{per_hour: 2 USD}}
    budget:
      - {{hours: 1.5, amount: 12.30, per: day, at_limit: closed, warn: 90%}}
      - {{hours: 100, per: week, warn: []}}
  db: {{path: /db, {RUN}, needs: [cache]}}
  cache: {{{RUN}, budget: {{hours: 5}}}}
"""
NOTES = (
    Budget("notes", Per.DAY, "America/New_York", Decimal("1.5"), HOURS, AtLimit.CLOSED, (90.0,)),
    Budget("notes", Per.DAY, "America/New_York", Decimal("12.30"), "USD", AtLimit.CLOSED, (90.0,)),
    Budget("notes", Per.WEEK, "America/New_York", Decimal(100), HOURS, AtLimit.WARN, ()),
)
RATES = (("USD", Decimal("7.12")),)
WHOLE = Budget("", Per.MONTH, "Asia/Shanghai", Decimal(4000), "CNY", AtLimit.NO_WAKE, rates=RATES)
CACHE = Budget("cache", Per.MONTH, "Asia/Shanghai", Decimal(5))


def test_what_is_written(settings_of: SettingsOf) -> None:
    found = all_budgets(settings_of(FILE))
    assert found["notes"] == NOTES
    assert found[""] == (WHOLE,)
    assert found["gpu"] == (Budget("gpu", Per.MONTH, "Europe/Berlin", Decimal(200)),)
    assert found["db"] == ()


def test_a_budget_of_money_with_a_typical_price_is_in_the_currency_of_the_file(
    settings_of: SettingsOf,
) -> None:
    """What the typical price will be is not known yet; an empty currency would never be used up."""
    found = all_budgets(settings_of(FILE.replace("price: {per_hour: 2 USD}", "price: {gpu: RTX 4090}")))
    assert [one.unit for one in found["notes"]] == [HOURS, "CNY", HOURS]
    assert found["notes"][1].rates == RATES


def test_whom_it_binds(settings_of: SettingsOf) -> None:
    """What needs others is bound by their budgets, and everything by that for everything."""
    settings = settings_of(FILE)
    bounds = {name: one.rules(0.0).budgets for name, one in settings.services.items()}
    assert bounds == {"notes": (*NOTES, CACHE, WHOLE), "db": (CACHE, WHOLE), "cache": (CACHE, WHOLE)}
    assert settings.machines["gpu"].rules(0.0).budgets[1:] == (WHOLE,)


def test_what_is_on_a_machine_is_bound_by_it_and_paid_in_its_currency(tmp_path: Path) -> None:
    file = tmp_path / "poorwill.yaml"
    file.write_text(
        "machines: {gpu: {fake: {}, price: {per_hour: 10 USD}, budget: {amount: 90}}}\n"
        "services: {a: {on: gpu, address: '127.0.0.1:9000', budget: {amount: 40}}}\n"
    )
    found = load(file, option_models()).services["a"].bounds
    assert [(budget.payer, budget.unit) for budget in found] == [("a", "USD"), ("gpu", "USD")]


@pytest.mark.parametrize(
    ("hours", "per", "most", "warns"),
    [(745, Per.MONTH, 1, True), (744, Per.MONTH, 1, False), (25, Per.DAY, 1, True), (25, Per.DAY, 2, False)],
)
def test_hours_that_no_period_has(hours: int, per: Per, most: int, warns: bool) -> None:
    assert bool([*budget_warnings(Budget("a", per, "UTC", Decimal(hours)), most)]) is warns
    assert [*budget_warnings(Budget("a", per, "UTC", Decimal(hours), "CNY"), most)] == []


def test_requests_that_wake_nothing_anyway() -> None:
    careful = Budget("a", Per.DAY, "UTC", Decimal(1), at_limit=AtLimit.NO_WAKE)
    (warning,) = budget_warnings(careful, 1, woken=False)
    assert "no_wake changes nothing" in warning
    assert [*budget_warnings(careful, 1)] == []


@pytest.mark.parametrize(
    ("written", "fine"),
    [
        ({"hours": 100}, True),
        ([{"hours": 1.5, "warn": ["50%"]}, {"amount": "400 CNY", "per": "week"}], True),
        ({"hours": 0}, False),
        ({"hours": 1, "at_limit": "close"}, False),
        ({"hours": 1, "warn": [80]}, False),
        ({"hour": 1}, False),
        (100, False),
    ],
)
def test_what_an_editor_says(written: Any, fine: bool) -> None:
    validator = Draft202012Validator(json.loads(json.dumps(json_schema(PROVIDERS))))
    run = {"process": {"command": ["x", "{port}"]}}
    whole = {"budget": written, "services": {"a": {"run": run, "budget": written}}}
    assert bool(list(validator.iter_errors(whole))) is not fine
