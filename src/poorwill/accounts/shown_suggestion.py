"""A suggestion in words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from poorwill.accounts.words import Words, duration, hours, memory, price, quantity
from poorwill.advisor.suggestion import Suggestion, Value
from poorwill.config.units import format_duration
from poorwill.core.money import money_text


@dataclass(frozen=True, slots=True)
class Advised:
    """``gain`` is what it brings a month, ``sure`` how far that can be trusted."""

    text: str
    gain: str
    sure: str


def advised(one: Suggestion, say: Words) -> Advised:
    values = {name: _value(name, value, one, say) for name, value in one.values.items()}
    text = say[f"suggest.{one.kind}"].format(service=one.service or say["all"], **values)
    return Advised(text, _gain(one, say), say[f"sure.{one.sure}"])


def _gain(one: Suggestion, say: Words) -> str:
    """Money where a price is known; what costs instead of saving says so."""
    money = None if one.amount is None else money_text(abs(one.amount), one.currency)
    time = hours(say, abs(one.hours))
    if one.hours < 0:
        return say["advise.cost_money" if money else "advise.cost"].format(hours=time, money=money)
    if one.hours == 0:
        return say["advise.money" if money else "advise.free"].format(money=money)
    return say["advise.gain_money" if money else "advise.gain"].format(hours=time, money=money)


def _value(name: str, value: Value, one: Suggestion, say: Words) -> str:
    """By what the name says: text, a count, bytes, money, hours, and else seconds."""
    if name in ("idle", "was"):
        return format_duration(float(value))  # as it is written in poorwill.yaml
    if name == "days":
        return say[f"days.{value}"]
    if isinstance(value, str):
        return value
    if name == "per_hour":
        return price(Decimal(value), one.currency)
    if name in ("used", "limit", "fits"):
        return quantity(say, Decimal(value), str(one.values["unit"]))
    if name == "hours":
        return hours(say, float(value))
    if name.endswith("_bytes"):
        return memory(float(value))
    if name.endswith("_count") or name in ("waits", "waits_was", "spared"):
        return f"{value:.0f}"
    return duration(say, float(value))
