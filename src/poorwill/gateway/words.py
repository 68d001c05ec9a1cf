"""What visitors read, in their own language: one file per language, English where a text is missing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from math import ceil, floor, isfinite
from pathlib import Path
from string import Formatter

from poorwill.errors import GatewayError

FALLBACK = "en"
_FOLDER = Path(__file__).parent / "languages"
_HEADER_LIMIT = 1000
_QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\Z")
_RANGE = re.compile(r"(?:\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)\Z")

Words = Mapping[str, str]
"""Texts by their dotted key (``waking.title``)."""


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, str(value)


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _checked(path: Path, english: Words) -> Words:
    """One language over English. Raises GatewayError for a key or a ``{name}`` that English lacks."""
    try:
        texts = dict(_flat(tomllib.loads(path.read_text("utf-8"))))
        for key, text in texts.items():
            if key not in english:
                raise GatewayError(f"{path.name}: unknown text {key!r}", hint="see languages/en.toml")
            if extra := _fields(text) - _fields(english[key]):
                raise GatewayError(f"{path.name}: {key} has unknown names {sorted(extra)}")
    except ValueError as error:  # not UTF-8, not TOML, a brace left open
        raise GatewayError(f"{path.name} cannot be read: {error}", hint="it must be TOML in UTF-8") from error
    return {**english, **texts}


def read_languages(folder: Path = _FOLDER) -> Mapping[str, Words]:
    """Every ``<tag>.toml`` in the folder by its lower-case tag. Raises GatewayError when one is wrong."""
    english = dict(_flat(tomllib.loads((_FOLDER / f"{FALLBACK}.toml").read_text("utf-8"))))
    return {path.stem.lower(): _checked(path, english) for path in sorted(folder.glob("*.toml"))}


LANGUAGES = read_languages()


def _wishes(header: str) -> Iterator[tuple[str, float]]:
    """Language ranges with their weights (RFC 9110, 12.4.2); malformed ones are skipped."""
    for item in header[:_HEADER_LIMIT].lower().split(","):
        tag, *parameters = (part.strip() for part in item.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                value = value.strip()
                weight = float(value) if _QUALITY.match(value) else -1.0
        if weight >= 0 and _RANGE.match(tag):
            yield tag, weight


def _lookup(tag: str) -> str | None:
    """The language for a tag, by cutting subtags from its end (RFC 4647, 3.4): ``zh-Hant-TW`` is zh."""
    while tag:
        if tag in LANGUAGES:
            return tag
        tag = tag.rpartition("-")[0]
    return None


def choose_language(accept_language: str | None) -> str:
    """The language to answer in. Never raises; English when nothing fits, ``*`` is English too.

    Of equal weights the first named wins. ``q=0`` refuses a language, but when all are refused the
    answer is still English: a page in the wrong language tells more than none.
    """
    best, weight = FALLBACK, 0.0
    for tag, wish in _wishes(accept_language or ""):
        found = FALLBACK if tag == "*" else _lookup(tag)
        if found is not None and wish > weight:
            best, weight = found, wish
    return best


def words(language: str) -> Words:
    return LANGUAGES.get(language, LANGUAGES[FALLBACK])


def seconds(value: float) -> float:
    """A duration fit for people and JSON: not negative, not above ten days, 0 when it is not a number."""
    return min(max(value, 0.0), 864_000.0) if isfinite(value) else 0.0


def time_text(say: Words, value: float, *, up: bool = False) -> str:
    """``23 s``, ``2 min 10 s``, ``12 min``, ``1 h 5 min``; rounded to the nearest, or ``up``.

    ``span`` in templates/waiting.js is the same in the browser; a browser test holds them together.
    """
    value = seconds(value)
    whole = ceil(value) if up else floor(value + 0.5)
    if whole < 100:
        return say["time.seconds"].format(s=whole)
    if whole < 600 and whole % 60:
        return say["time.both"].format(m=whole // 60, s=whole % 60)
    minutes = (whole + 59 if up else whole + 30) // 60
    if minutes < 60:
        return say["time.minutes"].format(m=minutes)
    return say["time.hours"].format(h=minutes // 60, m=minutes % 60)
