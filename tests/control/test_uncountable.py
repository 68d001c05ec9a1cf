"""Budgets of money in which something can never be counted."""

from __future__ import annotations

from pathlib import Path

from tests.control.test_terms import settings

from poorwill.advisor.gpus import priced
from poorwill.control.uncountable import gaps

FILE = """
currency: CNY
budget: {amount: 1000}
machines:
  gpu: {fake: {}, price: {gpu: nosuchcard}, budget: [{hours: 3}, {amount: 9}]}
services:
  kb: {hosts: [kb.test], run: {process: {command: [x, '{port}']}}, price: 3.90, budget: {amount: 8}}
  far: {hosts: [f.test], run: {process: {command: [x, '{port}']}}, price: {gpu: A10G}, budget: {amount: 7}}
  on: {hosts: [o.test], on: gpu, address: 127.0.0.1:80, budget: {amount: 6}}
"""
RATE = "exchange_rates: {USD: {rate: 7.12, date: 2026-11-20}}"


def found(folder: Path, text: str) -> list[tuple[str, int, str]]:
    known = gaps(settings(folder, text), priced)
    return [(gap.budget.payer, int(gap.budget.limit), gap.currency) for gap in known]


def test_cards_that_nobody_knows_and_currencies_without_a_rate(tmp_path: Path) -> None:
    unknown = [("", 1000, ""), ("gpu", 9, ""), ("on", 6, "")]
    assert sorted(found(tmp_path, FILE)) == sorted([*unknown, ("", 1000, "USD"), ("far", 7, "USD")])
    assert sorted(found(tmp_path, FILE + RATE)) == sorted(unknown)
    assert found(tmp_path, (FILE + RATE).replace("nosuchcard", "A10G")) == []
