"""The review of the month before, written once when a month is over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path

from poorwill.accounts.looking_back import Rules, month_before, record
from poorwill.accounts.render import Format, render
from poorwill.accounts.review import review
from poorwill.core.localtime import start_of
from poorwill.core.period import Per, Period, period_of
from poorwill.errors import StateError

HOUR = time(6)
"""When on the 1st, so that the month is over everywhere where something runs."""
FOLDER = "reviews"
_ENDINGS = {Format.HTML: "html", Format.MARKDOWN: "md"}


def due(now: float, zone: str) -> Period:
    """The last month whose review should be there by now."""
    month = period_of(Per.MONTH, now, zone)
    last = month_before(month)
    at = start_of(datetime.combine(month.first, HOUR), zone)
    return last if now >= at else month_before(last)


def write(
    folder: Path, month: Period, now: float, rules: Rules, language: str, formats: Sequence[Format]
) -> list[str]:
    """Returns the files' names, relative to the state folder; empty when nothing is known of the month.

    Blocks. Raises StateError when the journal cannot be read or a file not be written.
    """
    found = record(folder, month, now, rules)
    if found.known_from >= month.stop:
        return []
    told, names = review(found), []
    try:
        (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
        for form in formats:
            name = f"{FOLDER}/{month}.{_ENDINGS[form]}"
            put(folder / name, render(told, language, form))
            names.append(name)
    except OSError as error:
        raise StateError(
            f"the review of {month} cannot be written into {folder / FOLDER}: {error.strerror}",
            hint="make room, or give this user the right to write there; it is tried again",
        ) from error
    return names


def put(file: Path, text: str) -> None:
    """All of it or nothing, for its owner only. Raises OSError."""
    draft = file.with_name(f"{file.name}.new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    draft.replace(file)
