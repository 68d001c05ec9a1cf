"""``review``: a month looked back on, read from the journal, whether or not a Poorwill runs."""

from __future__ import annotations

import re
import shlex
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from poorwill.cli.options import FILE, File, read
from poorwill.errors import BadInput

if TYPE_CHECKING:
    from poorwill.core.period import Period

_ENDINGS = {".html": "html", ".htm": "html", ".json": "json"}


def register(app: typer.Typer) -> None:
    app.command()(review)


def review(
    file: File = FILE,
    month: Annotated[
        str, typer.Option("--month", help="A month such as 2026-10, or `this`. Default: the last one.")
    ] = "",
    form: Annotated[
        Literal["markdown", "html", "json"] | None,
        typer.Option("--format", help="Default: by the name of --out, else markdown."),
    ] = None,
    lang: Annotated[
        Literal["en", "zh"] | None,
        typer.Option("--lang", help="Default: that of the file, else of the system."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write it into this file instead of printing it.")
    ] = None,
) -> None:
    """Look back on a month: what was used and budgeted, when, who waited, and what could be done better.

    It reads the journal, so nothing has to run.
    """
    from poorwill import clock
    from poorwill.accounts.looking_back import record, rules_of
    from poorwill.accounts.render import Format, render
    from poorwill.accounts.review import review as look_back
    from poorwill.accounts.words import system_language

    settings, now = read(file), clock.now().wall
    language = lang or settings.review.lang or system_language()
    chosen = Format(form or (_ENDINGS.get(out.suffix.lower(), "markdown") if out else "markdown"))
    period = _month(month, now, settings.timezone)
    found = record(settings.state, period, now, rules_of(settings))
    text = render(look_back(found), language, chosen)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror}", hint=_writable(out)) from error
    typer.echo(f"{out} is written.")


def _writable(out: Path) -> str:
    """What to do about a file that cannot be written."""
    if out.is_dir():
        return f"this is a folder; name a file in it, such as {out / 'review.html'}"
    if not out.parent.is_dir():
        return f"make the folder first: mkdir -p {shlex.quote(str(out.parent))}"
    return "make room, or choose a file that you may write"


def _month(text: str, now: float, zone: str) -> Period:
    """Raises BadInput for what is no month, and for one that has not begun."""
    from poorwill.accounts.looking_back import month_before
    from poorwill.core.period import Per, period_from, period_of

    this = period_of(Per.MONTH, now, zone)
    if not text or text == "this":
        return this if text else month_before(this)
    match = re.fullmatch(r"(\d{4})-(\d{1,2})", text.strip(), re.ASCII)
    if match is None or not 1 <= int(match[2]) <= 12 or not 1971 <= int(match[1]) <= 9000:
        raise BadInput(f"{text} is no month", hint=f"write {this}, or `this`")
    asked = period_from(Per.MONTH, date(int(match[1]), int(match[2]), 1), zone)
    if asked.start > now:
        raise BadInput(f"{asked} has not begun yet", hint=f"the running month is {this}")
    return asked
