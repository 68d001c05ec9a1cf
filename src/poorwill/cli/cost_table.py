"""What it cost, as a table: one column for each time."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from poorwill.accounts.account import HOW_SAVED, Account, converted
from poorwill.core.bill import Line
from poorwill.core.money import money_text, sum_text

_HEADS = {"day": "today", "week": "this week", "month": "this month"}


def show(found: Sequence[Account]) -> None:
    """Print it; ``found`` are the times side by side."""
    table = Table("", *(_head(one, len(found) > 1) for one in found), box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for kind in ("service", "job", "machine"):
        names = sorted({line.name for one in found for line in one.lines if line.kind == kind})
        for name in names:
            table.add_row(_named(name, kind), *(_lines(one, name) for one in found))
    _parts(table, found)
    for item in sorted({fixed.cost.name for one in found for fixed in one.fixed}):
        table.add_row(item, *(_fixed(one, item) for one in found))
    table.add_section()
    table.add_row("total", *(_amounts(one.total) for one in found))
    if any(converted(one.total, one.statement) is not None for one in found):
        table.add_row("all of it", *(_together(one) for one in found))
    if any(one.saved for one in found):
        table.add_row("saved", *(_amounts(one.saved_total) for one in found))
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(table, highlight=False, markup=False)
    for line in _below(found):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _parts(table: Table, found: Sequence[Account]) -> None:
    """Of the machine that was asked for: who has which part of it, and what is shared with nobody."""
    lines = [line for one in found for line in one.lines if _is_whole(line)]
    for guest in dict.fromkeys(name for line in lines for name, _ in line.shares):
        table.add_row(f"  {guest}'s part", *(_part(one, guest) for one in found))
    if any(_rest(line) for line in lines):
        table.add_row("  shared with nobody", *(_part(one, "") for one in found))


def _is_whole(line: Line) -> bool:
    return line.whole is not None and line.amount == line.whole and bool(line.shares)


def _rest(line: Line) -> Decimal:
    return (line.whole or Decimal(0)) - sum((part for _, part in line.shares), Decimal(0))


def _part(one: Account, guest: str) -> str:
    """Empty ``guest``: of nobody."""
    amounts = [
        (dict(line.shares).get(guest, Decimal(0)) if guest else _rest(line), line.currency)
        for line in one.lines
        if _is_whole(line)
    ]
    return " + ".join(money_text(*each) for each in amounts) or "-"


def _head(one: Account, several: bool) -> str:
    return _HEADS[one.asked.per] if several else one.asked.name


def _named(name: str, kind: str) -> str:
    return name if kind == "service" else f"{name} ({kind})"


def _lines(one: Account, name: str) -> str:
    """Hours and money; a machine says what was shared with nobody."""
    lines = [line for line in one.lines if line.name == name]
    if not lines:
        return "-"
    hours = sum(line.seconds for line in lines) / 3600
    return f"{hours:.2f} h  " + " + ".join(_amount(line) for line in lines)


def _amount(line: Line) -> str:
    if line.amount is None:
        return "no price" if line.seconds else "-"
    return money_text(line.amount, line.currency) + ("*" if line.typical else "")


def _fixed(one: Account, item: str) -> str:
    amounts = [fixed for fixed in one.fixed if fixed.cost.name == item]
    return " + ".join(money_text(fixed.amount, fixed.cost.currency) for fixed in amounts)


def _amounts(total: dict[str, Decimal]) -> str:
    return sum_text((amount, currency) for currency, amount in total.items())


def _together(one: Account) -> str:
    amount = converted(one.total, one.statement)
    return "-" if amount is None else f"about {money_text(amount, one.statement.currency)}"


def _below(found: Sequence[Account]) -> Iterator[str]:
    last = found[-1]
    shared = [line for line in last.lines if line.whole and line.amount != line.whole]
    if shared or any(one.saved for one in found) or last.remarks:
        yield ""
    for line in shared:
        whole = money_text(line.whole, line.currency)
        yield f"{line.name} cost {whole}: what is on it has its part, the rest stands beside its own name"
    if any(one.saved for one in found):
        yield f"saved is {HOW_SAVED}"
    for remark in last.remarks:
        yield f"- {remark}"
