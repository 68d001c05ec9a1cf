from __future__ import annotations

import re
from decimal import Decimal

import pytest

from poorwill.advisor.gpus import find, gpus, known, priced, typical
from poorwill.core.money import MINOR
from poorwill.errors import BadInput


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("rtx 4090", "RTX 4090"),
        ("4090", "RTX 4090"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("NVIDIA A10G", "A10G"),
        ("A10G-24GB", "A10G"),
        ("a10 24 GB", "A10"),
        ("Tesla T4", "T4"),
        ("NVIDIA A100-SXM4-80GB", "A100 80GB"),
        ("A100 40G", "A100 40GB"),
        ("Tesla V100-SXM2-16GB", "V100 16GB"),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("2080Ti", "RTX 2080 Ti"),
        ("3060 12g", "RTX 3060 12GB"),
        ("RTX6000Ada", "RTX 6000 Ada"),
        ("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada"),
        ("AMD Instinct MI300X", "MI300X"),
    ],
)
def test_names_are_understood_as_people_and_nvidia_smi_write_them(written: str, name: str) -> None:
    assert find(written).name == name


def test_every_name_in_the_table_finds_itself() -> None:
    for gpu in gpus():
        assert find(gpu.name) is gpu
        assert known(gpu.name.lower().replace(" ", "-")) is gpu


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("h1000", "did you mean H100?"),
        ("A100", "write A100 40GB or A100 80GB"),
        ("A10G 48GB", "did you mean A10G, which has 24GB?"),
        ("", "`poorwill gpus` lists"),
        ("potato", "`poorwill gpus` lists"),
    ],
)
def test_other_names_are_asked_back(written: str, hint: str) -> None:
    assert known(written) is None
    assert typical(written) is None
    with pytest.raises(BadInput) as wrong:
        find(written)
    assert hint in wrong.value.hint


def test_every_price_says_where_and_when_it_was_read() -> None:
    prices = [price for gpu in gpus() for price in gpu.prices]
    assert len(prices) > 30
    for price in prices:
        assert price.per_hour > 0
        assert price.currency in MINOR
        assert re.fullmatch(r"202\d-(0\d|1[0-2])(-[0-3]\d)?", price.date)
        assert len(price.source) > 10


def test_the_typical_price_is_exact_and_of_one_currency() -> None:
    price = typical("a10g")
    assert price is not None
    assert (price.per_hour, price.currency, price.provider) == (Decimal("1.006"), "USD", "aws")
    chinese = typical("A10", currency="CNY")
    assert chinese is not None
    assert (chinese.provider, chinese.per_hour) == ("aliyun", Decimal("9.74"))
    assert typical("A10", currency="EUR") is None
    assert typical("H100", provider="aws", currency="CNY") is None
    middle = typical("RTX 4090", currency="USD")
    assert middle is not None
    assert middle.per_hour == Decimal("0.34")  # of 0.29, 0.34 and 0.74
    assert typical("RTX 3060 12GB") is None


def test_a_price_to_bill_by_is_that_of_the_cloud_where_it_is_known() -> None:
    here, elsewhere = priced("RTX 4090", "autodl", ""), priced("RTX 4090", "vast", "")
    assert here is not None
    assert elsewhere is not None
    assert (here.per_hour, here.currency, here.typical) == (Decimal("2.18"), "CNY", True)
    assert here.source.startswith("autodl, 2026-08-30: ")
    assert (elsewhere.per_hour, elsewhere.currency) == (Decimal("0.34"), "USD")
    assert priced("potato", "", "") is None
