"""``cost``: what it cost, read from the journal, whether or not a Poorwill runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from poorwill.cli.options import FILE, File, find
from poorwill.errors import BadInput, NotRunning

if TYPE_CHECKING:
    from poorwill.accounts.asked import Asked
    from poorwill.accounts.books import Books


def register(app: typer.Typer) -> None:
    app.command()(cost)


def cost(
    name: Annotated[
        str | None, typer.Argument(help="Only this service, or this machine as a whole.", show_default=False)
    ] = None,
    file: File = FILE,
    day: Annotated[bool, typer.Option("--day", help="Only today.")] = False,
    week: Annotated[bool, typer.Option("--week", help="Only this week, from Monday on.")] = False,
    month: Annotated[str, typer.Option("--month", help="A month such as 2026-11, or `this`.")] = "",
    since: Annotated[
        str, typer.Option("--since", help="From this day or moment on: 2026-11-03, or '2026-11-03 14:00'.")
    ] = "",
    until: Annotated[str, typer.Option("--until", help="Up to this one, which is not counted.")] = "",
    form: Annotated[
        Literal["table", "json", "csv", "focus"],
        typer.Option("--format", help="How to print it; focus is for FinOps tools."),
    ] = "table",
) -> None:
    """Show what every service cost, and what sleeping saved: today, this week and this month.

    It reads the journal, so nothing has to run. Days, weeks and months are those of the file's time zone.
    """
    from poorwill import clock
    from poorwill.accounts.account import account, as_json, side_by_side
    from poorwill.accounts.asked import asked

    place, now = find(file), clock.now().wall
    one = asked(
        now, place.timezone, day="this" * day, week="this" * week, month=month, since=since, until=until
    )
    times = [one] if one else _usual(now, place.timezone)
    books = _books(place.state, times, now)
    _known(name, books)
    found = [account(books, time, name or "") for time in times]
    if form == "json":
        typer.echo(json.dumps(side_by_side([as_json(each) for each in found]), indent=2, ensure_ascii=False))
    elif form == "csv":
        from poorwill.accounts.sheet import sheet

        typer.echo(sheet(found), nl=False)
    elif form == "focus":
        from poorwill.accounts.focus import focus

        typer.echo(focus(books, times[-1], _gateway(place.state), name or ""), nl=False)
    else:
        from poorwill.cli.cost_table import show

        show(found)
    if form in ("csv", "focus"):
        for remark in found[-1].remarks:  # beside the rows, which are for programs
            typer.echo(f"- {remark}", err=True)


def _usual(now: float, zone: str) -> list[Asked]:
    from poorwill.accounts.asked import current
    from poorwill.core.period import Per

    return [current(per, now, zone) for per in Per]


def _books(state: Path, times: Sequence[Asked], now: float) -> Books:
    from poorwill.accounts.books import read
    from poorwill.store.journal import FILE as JOURNAL

    if not (state / JOURNAL).exists():
        raise NotRunning(
            f"there is no journal in {state} yet", hint="`poorwill up` begins one; --file names another"
        )
    return read(state, min(time.start for time in times), max(time.stop for time in times), now)


def _known(name: str | None, books: Books) -> None:
    names = {
        *books.statement.payers,
        *(one.payer for one in books.terms),
        *(one.payer for one in books.lives),
    }
    if name and name not in names:
        listed = ", ".join(sorted(names)) or "nothing yet"
        raise BadInput(f"the journal knows no service {name!r}", hint=f"it knows {listed}")


def _gateway(state: Path) -> str:
    """The name of the gateway that spent it, as FOCUS wants an account."""
    named = state / "gateway-id"
    return named.read_text(encoding="utf-8").strip() if named.is_file() else "poorwill"
