"""Dates, and countries with public holidays, as people write them."""

from __future__ import annotations

import calendar
import difflib
import re
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema

from poorwill.config.complaint import expected, wrong

_DATE = "a date such as 2026-12-24"
_COUNTRY = "a country such as CN, or a part of one such as DE-BY"


def parse_date(value: object) -> date:
    if isinstance(value, date):
        return value
    match = re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)", str(value).strip(), re.ASCII)
    if match is None:
        raise expected(_DATE, "year, month and day")
    year, month, day = (int(part) for part in match.groups())
    if not 1970 < year < 2200:
        raise expected("a date in this century")
    if not 1 <= month <= 12:
        raise wrong(f"there is no month {month}", "write year, month and day: 2026-12-24")
    length = calendar.monthrange(year, month)[1]
    if not 1 <= day <= length:
        raise wrong(
            f"there is no day {day} in {calendar.month_name[month]} {year}", f"it ends with day {length}"
        )
    return date(year, month, day)


def one_or_more(value: object) -> object:
    """What stands alone is a list of one."""
    return value if isinstance(value, list | tuple) else [value]


def parse_country(value: object) -> str:
    """``CN`` or ``DE-BY``, as the package of holidays spells it."""
    if not isinstance(value, str) or not value.strip():
        raise expected(_COUNTRY)
    # Late: the package of holidays is heavy, and most files name no country.
    from poorwill.core.holidays import known_countries

    known = known_countries()
    country, _, part = value.strip().partition("-")
    if country.upper() not in known:
        raise expected(_COUNTRY, _country_hint(value.strip(), known))
    parts = {name.casefold(): name for name in known[country.upper()]}
    if not part:
        return country.upper()
    if part.casefold() not in parts:
        near = difflib.get_close_matches(part.casefold(), parts, n=1)
        listed = ", ".join(sorted(parts.values())) or "none"
        hint = f"did you mean {country.upper()}-{parts[near[0]]}?" if near else f"its parts are {listed}"
        raise expected(_COUNTRY, hint)
    return f"{country.upper()}-{parts[part.casefold()]}"


def _country_hint(text: str, known: dict[str, list[str]]) -> str:
    from poorwill.core.holidays import country_names

    names = country_names() | _ALSO
    near = difflib.get_close_matches(text.casefold().replace("_", " "), names, n=1, cutoff=0.75)
    if near:
        return f"did you mean {names[near[0]]}?"
    close = difflib.get_close_matches(text.upper(), known, n=1) if len(text) == 3 else []
    return f"did you mean {close[0]}?" if close else "the code has two letters, as in ISO 3166"


_ALSO = {
    "america": "US",
    "england": "GB-ENG",
    "great britain": "GB",
    "korea": "KR",
    "prc": "CN",
    "scotland": "GB-SCT",
    "uk": "GB",
    "united states of america": "US",
    "usa": "US",
    "wales": "GB-WLS",
    "中国": "CN",
    "deutschland": "DE",
}
_ONE_DATE = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d\d?-\d\d?$"}
_ONE_COUNTRY = {"type": "string", "pattern": "^[A-Za-z]{2}(-.+)?$", "examples": ["CN", "DE-BY"]}

Day = Annotated[date, PlainValidator(parse_date), PlainSerializer(str), WithJsonSchema(_ONE_DATE)]
Days = Annotated[
    tuple[Day, ...],
    BeforeValidator(one_or_more),
    WithJsonSchema({"anyOf": [_ONE_DATE, {"type": "array", "items": _ONE_DATE}]}),
]
Country = Annotated[str, PlainValidator(parse_country), WithJsonSchema(_ONE_COUNTRY)]
Countries = Annotated[
    tuple[Country, ...],
    BeforeValidator(one_or_more),
    WithJsonSchema({"anyOf": [_ONE_COUNTRY, {"type": "array", "items": _ONE_COUNTRY}]}),
]
