"""A review as a page, as a mail, or for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from poorwill.accounts.review import Review
from poorwill.accounts.shown import shown
from poorwill.accounts.shown_service import Map, Spot

_MARKS = re.compile(r"([\\`*_\[\]<>|#~])")
_BREAKS = re.compile(r"\s+")
_CODE = re.compile(r"(?<!`)(`[^`]+`)(?!`)")
"""Several backticks in a row are no such mark: where that ends Markdown has rules of its own."""


class Format(StrEnum):
    """What a review is written as."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


def render(review: Review, language: str, form: Format) -> str:
    if form is Format.JSON:
        return json.dumps(as_json(review), ensure_ascii=False, indent=2) + "\n"
    return _PAGES[form].render(review=shown(review, language))


def as_json(review: Review) -> dict[str, Any]:
    """Times in seconds, moments in UTC, money as text that loses nothing."""
    period = review.period
    plain: dict[str, Any] = {
        "month": str(period),
        "timezone": period.zone,
        "complete": review.complete,
        "since": _iso(review.since),
        "until": _iso(review.until),
    }
    kept = ("empty", "use_known", "rows", "totals", "before", "saved", "services", "suggestions")
    return {**plain, **{name: _plain(getattr(review, name)) for name in kept}}


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value


def _iso(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="seconds")


# --- templates ----------------------------------------------------------------------------------


def _escaped(text: str) -> str:
    """Text that Markdown takes as it is, on one line; what stands between two backticks stays."""
    parts = _CODE.split(_BREAKS.sub(" ", text))
    return "".join(_MARKS.sub(r"\\\1", part) if index % 2 == 0 else part for index, part in enumerate(parts))


def _cell(text: str) -> str:
    """The same in a table, where a bar ends the cell also between backticks."""
    return _MARKS.sub(r"\\\1", _BREAKS.sub(" ", text))


def _hours(heat: Map) -> list[tuple[str, tuple[Spot, ...]]]:
    """The rows of a heat map under the name of their hour; those in a row in which nothing was are one."""
    rows: list[tuple[int, int, tuple[Spot, ...]]] = []
    for hour, spots in enumerate(heat.rows):
        quiet = all(spot.text in ("0", "–") for spot in spots)
        if quiet and rows and rows[-1][1] == hour - 1 and rows[-1][2] == spots:
            rows[-1] = (rows[-1][0], hour, spots)
        else:
            rows.append((hour, hour, spots))
    return [
        (f"{first:02}" if first == last else f"{first:02}-{last:02}", spots) for first, last, spots in rows
    ]


def _code(text: str) -> Markup:
    """HTML with what stands in backticks as code."""
    parts = [Markup.escape(one) for one in text.split("`")]
    if len(parts) % 2 == 0:
        return Markup.escape(text)
    marked = (Markup("<code>{}</code>").format(one) if index % 2 else one for index, one in enumerate(parts))
    return Markup("").join(marked)


def _environment(*, html: bool) -> Environment:
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters.update(plain=_escaped, cell=_cell, code=_code, hours=_hours)
    style = (Path(__file__).parent / "templates" / "review.css").read_text("utf-8")
    found.globals["style"] = Markup(style)
    return found


_PAGES = {
    Format.HTML: _environment(html=True).get_template("review.html"),
    Format.MARKDOWN: _environment(html=False).get_template("review.md"),
}
