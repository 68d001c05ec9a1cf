"""Currencies, and how amounts of them are written.

Amounts are exact decimals. They are rounded only where they are shown, and never added across currencies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from poorwill.core.duration import duration_text
from poorwill.core.price import Price

_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC
CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD
NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG
"""
MINOR: Mapping[str, int] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
"""The currencies of ISO 4217 that people pay with, and how many digits their smallest unit needs."""

_DIGITS = Context(prec=40)


def decimal(amount: Fraction) -> Decimal:
    """To 40 digits: what a third is, no decimal can say exactly."""
    return _DIGITS.divide(Decimal(amount.numerator), Decimal(amount.denominator))


def by_currency(amounts: Iterable[tuple[str, Decimal | None]]) -> dict[str, Decimal]:
    """Added up for each currency, in the order in which they come; what nobody knows adds nothing."""
    whole: dict[str, Decimal] = {}
    for currency, amount in amounts:
        if amount is not None:
            whole[currency] = whole.get(currency, Decimal(0)) + amount
    return whole


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the smallest unit of the currency; exactly half of it goes to the even one."""
    return amount.quantize(Decimal(1).scaleb(-MINOR.get(currency, 2)), ROUND_HALF_EVEN)


def money_text(amount: Decimal | None, currency: str) -> str:
    """``2.35 CNY``; ``-`` for what nobody knows."""
    return "-" if amount is None else f"{rounded(amount, currency):f} {currency}".rstrip()


def sum_text(amounts: Iterable[tuple[Decimal, str]]) -> str:
    """Amounts of several currencies: ``7.98 CNY + 1.20 EUR − 0.29 USD``; ``-`` for none."""
    text = ""
    for amount, currency in amounts:
        if not text:
            text = money_text(amount, currency)
        else:
            text += f" {'−' if amount < 0 else '+'} {money_text(abs(amount), currency)}"
    return text or "-"


def per_hour_text(amount: Decimal, currency: str) -> str:
    """A price as it was stated, with at least the digits of the currency: ``3.90 CNY``, ``0.0125 USD``."""
    digits = max(MINOR.get(currency, 2), -int(amount.normalize().as_tuple().exponent))
    return f"{amount:.{digits}f} {currency}"


def price_text(price: Price | None) -> str:
    """What an hour or a kilowatt hour costs, and in which steps."""
    if price is None or (price.power is None and price.per_hour is None):
        return "no price is stated"
    if price.power is not None:
        return f"{price.power.watts:f} W at {per_hour_text(price.power.per_kwh, price.currency)} per kWh"
    words = f"{per_hour_text(price.per_hour or Decimal(0), price.currency)} per hour"
    if price.step > 1:
        words += f", billed by the started {'hour' if price.step == 3600 else 'minute'}"
    if price.minimum:
        words += f", for {duration_text(price.minimum)} at least"
    return f"{words}, a typical price ({price.source})" if price.typical else words
