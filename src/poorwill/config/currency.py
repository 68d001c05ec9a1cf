"""Currencies, and amounts of money, as people write them in poorwill.yaml."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from poorwill.config.complaint import expected
from poorwill.core.money import MINOR

_CURRENCY = "a currency such as CNY, USD or EUR"
_AMOUNT = "an amount such as 3.90 or 3.90 CNY"
_SIGNS = {"¥": "CNY or JPY", "￥": "CNY or JPY", "元": "CNY", "$": "USD", "€": "EUR", "£": "GBP", "₹": "INR"}
_ALSO = {
    "dollar": "USD",
    "dollars": "USD",
    "euro": "EUR",
    "euros": "EUR",
    "pound": "GBP",
    "renminbi": "CNY",
    "rmb": "CNY",
    "yen": "JPY",
    "yuan": "CNY",
    "人民币": "CNY",
}
_MOST = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Amount:
    """``currency`` is empty where the amount itself does not name one."""

    value: Decimal
    currency: str = ""

    def __str__(self) -> str:
        return f"{self.value:f} {self.currency}".rstrip()


def parse_currency(value: object) -> str:
    """The three letters of ISO 4217."""
    if not isinstance(value, str):
        raise expected(_CURRENCY)
    text = value.strip()
    if text.upper() in MINOR:
        return text.upper()
    meant = _SIGNS.get(text) or _ALSO.get(text.casefold())
    if meant is None:
        near = difflib.get_close_matches(text.upper(), sorted(MINOR), n=1, cutoff=0.6)
        meant = near[0] if near else None
    raise expected(_CURRENCY, f"did you mean {meant}?" if meant else "write its three letters (ISO 4217)")


def parse_number(value: object, what: str = "a number such as 3.90") -> Decimal:
    """A number of 0 or more, exactly as it is written: 3.90 is not a hair less.

    YAML has made a float of it; the shortest text that gives this float is what was written, up to 15 digits.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise expected(what)
    text = repr(value) if isinstance(value, int | float) else str(value).strip()
    if re.fullmatch(r"-[\d.]+(e[+-]?\d+)?", text):
        raise expected(f"{what.partition(' such as')[0]} of 0 or more")
    if not re.fullmatch(r"\d+(\.\d+)?(e[+-]?\d+)?", text, re.ASCII):
        comma = re.fullmatch(r"(\d+),(\d{1,2})", text, re.ASCII)
        raise expected(what, f"write {comma[1]}.{comma[2]}" if comma else "digits, and a point where needed")
    number = Decimal(text)
    if number > _MOST:
        raise expected("a smaller number")
    return number


def parse_amount(value: object) -> Amount:
    """``3.90``, or with the currency in front or behind: ``3.90 CNY``."""
    if isinstance(value, Amount):
        return value
    if not isinstance(value, str):
        return Amount(parse_number(value, _AMOUNT))
    text = value.strip()
    sign = next((sign for sign in _SIGNS if sign in text), None)
    if sign is not None:
        bare = text.replace(sign, "").strip() or "3.90"
        first = _SIGNS[sign].partition(" ")[0]
        also = f" ({sign} is {_SIGNS[sign]})" if " or " in _SIGNS[sign] else ""
        raise expected(_AMOUNT, f"write the currency with its letters: {bare} {first}{also}")
    letters = re.sub(r"[\d.,\-+ ]+", " ", text).split()
    if not letters or re.fullmatch(r"[\d.]+e[+-]?\d+", text, re.ASCII):
        return Amount(parse_number(text, _AMOUNT))
    if len(letters) > 1 or not re.fullmatch(rf"{letters[0]} ?\S+|\S+ ?{letters[0]}", text):
        raise expected(_AMOUNT, "the amount and its currency, and nothing else")
    number = text.replace(letters[0], "").strip()
    return Amount(parse_number(number, _AMOUNT), parse_currency(letters[0]))


_NUMBER = {"type": ["number", "string"], "minimum": 0}

Currency = Annotated[
    str,
    PlainValidator(parse_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{3}$", "examples": ["CNY", "USD", "EUR"]}),
]
Number = Annotated[
    Decimal,
    PlainValidator(parse_number),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema(_NUMBER),
]
"""An exact decimal of 0 or more."""
Money = Annotated[
    Amount,
    PlainValidator(parse_amount),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({**_NUMBER, "examples": [3.90, "3.90 CNY"]}),
]
