"""An estimate for people: the plans side by side, and why they differ."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import typer

from poorwill.advisor.estimate import difference, per_day_text
from poorwill.core.duration import duration_text
from poorwill.core.money import per_hour_text, rounded

if TYPE_CHECKING:
    from poorwill.advisor.demand import Visits
    from poorwill.advisor.estimate import Bill, Rate


def print_bills(bills: Sequence[Bill], rate: Rate, visits: Visits, said: Sequence[str]) -> None:
    """``said`` is where the price is from, and what else must be known."""
    from rich.console import Console
    from rich.table import Table

    names = list(dict.fromkeys(name for one in bills for name, _ in one.fixed))
    steps = any(rounded(one.rounding, rate.currency) for one in bills)
    heads = ["a month of", "hours", "GPU", "starts", "starting, idle", *(["steps"] if steps else []), *names]
    table = Table(*heads, "total", "saved", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in bills:
        fixed = dict(one.fixed)
        amounts = [one.extra, *([one.rounding] if steps else []), *(fixed.get(name) for name in names)]
        saved = bills[0].total - one.total
        table.add_row(
            one.plan.name,
            f"{one.plan.seconds / 3600:.0f}",
            _shown(one.hours, rate),
            f"{one.plan.lives:.0f}" if one.plan.lives else "-",
            *(_shown(amount, rate) for amount in amounts),
            _shown(one.total, rate),
            "" if one is bills[0] else f"{_shown(saved, rate)} ({_percent(saved, bills[0].total)})",
        )
    console = Console() if sys.stdout.isatty() else Console(width=200, soft_wrap=True)
    typer.echo(
        f"{per_hour_text(rate.per_hour, rate.currency)} an hour: {said[0]}. Amounts in {rate.currency}.\n"
    )
    console.print(table, highlight=False)
    for one in bills[1:]:
        typer.echo("\n" + "\n".join(_why(one, bills[0], rate, visits)))
    typer.echo("")
    for line in (*_assumed(bills, visits), *said[1:]):
        typer.echo(f"- {line}")


def _why(one: Bill, first: Bill, rate: Rate, visits: Visits) -> Iterator[str]:
    """Where the difference to the first plan comes from; the lines add up to it."""
    part = difference(one, first)
    less = "less" if part.total <= 0 else "more"
    yield f"{one.plan.name} ({one.plan.says}): {_shown(abs(part.total), rate)} {less} than {first.plan.name}"
    hours = (one.plan.seconds - first.plan.seconds) / 3600
    fewer = f"{abs(hours):.1f} {'fewer' if hours <= 0 else 'more'} hours"
    yield f"  {_signed(part.hours, rate)}  {fewer} at {per_hour_text(rate.per_hour, rate.currency)}"
    if part.extra:
        start, idle = duration_text(visits.wake), duration_text(visits.idle)
        extra = f"{one.plan.extra / 3600:.1f} h for {one.plan.lives:.0f} starts"
        yield f"  {_signed(part.extra, rate)}  {extra}: {start} to start, up to {idle} idle before it sleeps"
    if rounded(part.rounding, rate.currency):
        step = f"billed in steps of {duration_text(rate.step)}"
        yield f"  {_signed(part.rounding, rate)}  begun and not used: {step}"
    for name, amount in part.fixed:
        yield f"  {_signed(amount, rate)}  {name}: needed only where Poorwill is used"


def _assumed(bills: Sequence[Bill], visits: Visits) -> Iterator[str]:
    yield f"a month has {bills[0].plan.says.partition(', ')[2]}; holidays are not looked at"
    if visits.per_day:
        often = f"{per_day_text(visits.per_day)} visits a day come by chance"
        yield (
            f"on request: {often} within {visits.hours / 3600:g} hours, each keeps it busy for "
            f"{duration_text(visits.visit)}; hours are those with somebody there"
        )


def _shown(amount: Decimal | None, rate: Rate) -> str:
    return "-" if amount is None else f"{rounded(amount, rate.currency):f}"


def _signed(amount: Decimal, rate: Rate) -> str:
    return f"{rounded(amount, rate.currency):+f}".rjust(10)


def _percent(part: Decimal, whole: Decimal) -> str:
    return f"{part / whole * 100:.0f} %" if whole else "-"
