"""What a review says, in the language of who reads it: one file per language."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

from poorwill.core.budget import HOURS
from poorwill.core.localtime import local
from poorwill.core.money import MINOR, money_text, per_hour_text, rounded
from poorwill.core.period import Period
from poorwill.errors import BadInput

_FOLDER = Path(__file__).parent / "languages"
LANGUAGES = ("en", "zh")
LEAST_HOURS = Decimal("0.1")
"""What is less is told in minutes."""

Words = Mapping[str, str]
"""Texts by their dotted key (``table.item``)."""


@cache
def words(language: str) -> Words:
    """Raises BadInput for a language that there is none of."""
    if language not in LANGUAGES:
        raise BadInput(f"there is no review in {language!r}", hint=f"one of {', '.join(LANGUAGES)}")
    return dict(_flat(tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))))


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, str(value)


def duration(say: Words, seconds: float) -> str:
    """``45 s``, ``2 min 10 s``, ``12 min``, ``1 h 5 min``, ``3 h``; rounded."""
    whole = int(seconds + 0.5)
    if whole < 100:
        return say["time.seconds"].format(s=whole)
    if whole < 600 and whole % 60:
        return say["time.both"].format(m=whole // 60, s=whole % 60)
    minutes = (whole + 30) // 60
    if minutes < 60:
        return say["time.minutes"].format(m=minutes)
    key = "time.hours_minutes" if minutes % 60 else "time.hours"
    return say[key].format(h=minutes // 60, m=minutes % 60)


def hours(say: Words, value: Decimal | float) -> str:
    """``92.4 h``; whole ones without a point, and less than a tenth in minutes."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if 0 < exact < LEAST_HOURS:
        return duration(say, float(exact) * 3600)
    places = "1" if exact == exact.to_integral_value() else "0.1"
    return say["time.decimal_hours"].format(h=f"{exact.quantize(Decimal(places), ROUND_HALF_UP):f}")


def quantity(say: Words, value: Decimal, unit: str) -> str:
    """Hours or money; of money that is less than the smallest coin it says so."""
    if unit == HOURS:
        return hours(say, value)
    if value > 0 and not rounded(value, unit):
        return f"<{money_text(Decimal(1).scaleb(-MINOR.get(unit, 2)), unit)}"
    return money_text(value, unit)


def price(value: Decimal, currency: str) -> str:
    return per_hour_text(value, currency)


def percent(part: Decimal | float) -> str:
    """A share of 1 without its sign: ``92``."""
    return f"{Decimal(str(part)) * 100:.0f}"


def memory(size: float) -> str:
    return f"{size / 1024**3:.0f} GB" if size >= 10 * 1024**3 else f"{size / 1024**3:.1f} GB"


def stamp(say: Words, wall: float, zone: str) -> str:
    """``Tue 6 Oct 14:05``."""
    at: datetime = local(wall, zone)
    return say["stamp"].format(
        weekday=say[f"weekday.{at.weekday()}"], d=at.day, month=say[f"months.{at.month}"], time=f"{at:%H:%M}"
    )


def month(say: Words, period: Period) -> str:
    return say["month"].format(y=period.first.year, name=say[f"long_months.{period.first.month}"])


def system_language(env: Mapping[str, str] = os.environ) -> str:
    """By the locale, as POSIX has it: LC_ALL before LC_MESSAGES before LANG; English when there is none."""
    spoken = next((env[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if env.get(name)), "")
    language = spoken.partition("_")[0].partition(".")[0].lower()
    return language if language in LANGUAGES else LANGUAGES[0]
