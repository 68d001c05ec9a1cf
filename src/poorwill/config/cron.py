"""Cron lines as people write them, and what is wrong with one that cannot be."""

from __future__ import annotations

import difflib
import re

from poorwill.config.complaint import expected, wrong
from poorwill.core.cron import ALIASES, Cron, five_fields, possible

_LINE = 'a cron line such as "0 9 * * 1-5"'
_ORDER = "the fields are minute, hour, day of the month, month, day of the week"
_FIELDS = (
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of the month", "1-31, or L for the last"),
    ("month", "1-12 or JAN-DEC"),
    ("day of the week", "0-7 or SUN-SAT; 0 and 7 are Sunday"),
)
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_NAMES = {"month": _MONTHS, "day of the week": _DAYS}
_LONGEST = 200


def parse_cron(value: object) -> Cron:
    """Five fields or an alias such as ``@daily``."""
    if isinstance(value, Cron):
        return value
    if not isinstance(value, str) or not value.strip():
        raise expected(_LINE)
    text = " ".join(value.split())
    if text.startswith("@") and text.lower() not in ALIASES:
        near = difflib.get_close_matches(text.lower(), ALIASES, n=1)
        raise expected(_LINE, f"did you mean {near[0]}?" if near else f"the names are {', '.join(ALIASES)}")
    fields = five_fields(text)
    if len(fields) != len(_FIELDS) or len(text) > _LONGEST:
        raise expected(_LINE, _count_hint(fields))
    for number, field in enumerate(fields):
        _check(number, field)
    if not possible(fields):
        raise wrong(f"{text} names a day that no month has", "check the day of the month and the month")
    return Cron(text)


def _count_hint(fields: list[str]) -> str:
    if len(fields) == 6:
        return "leave the seconds out: five fields, from minute to day of the week"
    return f"{_ORDER}; this has {len(fields)}"


def _check(number: int, field: str) -> None:
    name, allowed = _FIELDS[number]
    alone = ["*"] * len(_FIELDS)
    alone[number] = field
    readable = re.fullmatch(r"[0-9A-Z*,/#-]+", field, re.ASCII)
    if not readable or not possible(alone):
        raise wrong(f"the {name} of a cron line cannot be {field}", _field_hint(name, allowed, field))


def _field_hint(name: str, allowed: str, field: str) -> str:
    if "?" in field:
        return "write * for every one"
    if "/0" in field:
        return "a step is at least 1"
    names = _NAMES.get(name, ())
    long = [word for word in re.findall(r"[A-Z]+", field) if word not in names and word[:3] in names]
    if long:
        return f"did you mean {field.replace(long[0], long[0][:3])}?"
    backwards = re.fullmatch(r"(\w+)-(\w+)", field)
    if backwards and all(possible(_only(name, end)) for end in backwards.groups()):
        return f"a range goes upwards; for both ends write two: {_around(name, *backwards.groups())}"
    return f"allowed is {allowed}"


def _only(name: str, field: str) -> list[str]:
    return [field if name == known else "*" for known, _ in _FIELDS]


def _around(name: str, first: str, last: str) -> str:
    """``FRI-MON`` as ``FRI-SAT,SUN-MON``."""
    lowest, highest = {
        "minute": ("0", "59"),
        "hour": ("0", "23"),
        "day of the month": ("1", "31"),
        "month": ("1", "12") if first.isdigit() else ("JAN", "DEC"),
        "day of the week": ("0", "6") if first.isdigit() else ("SUN", "SAT"),
    }[name]
    return f"{first}-{highest},{lowest}-{last}"
