"""Public holidays and make-up workdays of countries, from the package of the same name.

It is heavy, so it is loaded only where a schedule names a country. The answers depend on nothing but country,
year and the version of that package.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holidays import HolidayBase

_SATURDAY = 5


def holiday(countries: tuple[str, ...], day: date) -> str:
    """The English name of the public holiday, empty on other days."""
    for country in countries:
        if name := _year(country, day.year)[0].get(day):
            return name
    return ""


def makes_up(countries: tuple[str, ...], day: date) -> bool:
    """Whether this day of a weekend is a workday, to make up for a day off elsewhere in the year."""
    if day.weekday() < _SATURDAY:
        return False
    return any(day in _year(country, day.year)[1] for country in countries)


def known_countries() -> dict[str, list[str]]:
    """Codes with two letters → the codes of their parts."""
    import holidays

    listed = holidays.list_supported_countries(include_aliases=True)
    return {code: list(parts) for code, parts in listed.items() if len(code) == 2}


def country_names() -> dict[str, str]:
    """``south korea`` → ``KR``."""
    from holidays.registry import COUNTRIES

    named = {name.replace("_", " "): codes[1] for name, codes in COUNTRIES.items()}
    return {name: code for name, code in named.items() if len(code) == 2}


def published(country: str, year: int) -> bool:
    """False when this country moves workdays to weekends and has not yet said which ones in this year.

    Only where it did so lately: a country that gave it up has nothing left to publish.
    """
    known = _moved_years(country.partition("-")[0])
    return not known or year <= max(known) or max(known) < year - 2


@lru_cache(maxsize=64)
def _moved_years(country: str) -> frozenset[int]:
    """The years for which it is known which workdays were moved."""
    calendar = _calendar(country, ())
    moves = getattr(calendar, "has_substituted_holidays", False)
    return frozenset(getattr(calendar, "special_public_holidays", {}) if moves else ())


@lru_cache(maxsize=256)
def _year(country: str, year: int) -> tuple[Mapping[date, str], frozenset[date]]:
    calendar = _calendar(country, (year,))
    names = {day: str(calendar[day]) for day in sorted(calendar) if day.year == year}
    return MappingProxyType(names), frozenset(getattr(calendar, "weekend_workdays", ()))


def _calendar(country: str, years: tuple[int, ...]) -> HolidayBase:
    import holidays

    code, _, part = country.partition("-")
    # A language of its own, or the names would follow the settings of the machine.
    return holidays.country_holidays(code, subdiv=part or None, years=years, expand=False, language="en_US")
