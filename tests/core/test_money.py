"""How amounts of money are written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from poorwill.core.money import sum_text


@pytest.mark.parametrize(
    ("amounts", "text"),
    [
        ([], "-"),
        ([("7.98", "CNY")], "7.98 CNY"),
        ([("7.98", "CNY"), ("0.29", "USD")], "7.98 CNY + 0.29 USD"),
        ([("7.98", "CNY"), ("-0.29", "USD")], "7.98 CNY − 0.29 USD"),
        ([("-7.98", "CNY"), ("-0.29", "USD")], "-7.98 CNY − 0.29 USD"),
    ],
)
def test_sums_of_several_currencies(amounts: list[tuple[str, str]], text: str) -> None:
    assert sum_text((Decimal(amount), currency) for amount, currency in amounts) == text
