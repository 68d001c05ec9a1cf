"""The rows of the table in words."""

from __future__ import annotations

from dataclasses import dataclass

from poorwill.accounts.table import Row
from poorwill.accounts.words import Words, percent, quantity
from poorwill.core.budget import HOURS


@dataclass(frozen=True, slots=True)
class Cells:
    """One row of the table; ``state`` is an Advice, ``kind`` what the item is."""

    item: str
    used: str
    budget: str
    over: str
    advice: str
    state: str
    kind: str


def cells(row: Row, say: Words) -> Cells:
    return Cells(
        item=_item(row, say),
        used=quantity(say, row.used, row.unit),
        budget="–" if row.budget is None else quantity(say, row.budget, row.unit),
        over="–" if row.budget is None else say["table.yes" if row.over else "table.no"],
        advice=_advice(row, say),
        state=str(row.advice),
        kind=row.item,
    )


def _item(row: Row, say: Words) -> str:
    if row.item == "cost":
        return row.name
    kind = "hours" if row.unit == HOURS else "money"
    if row.times:
        key = f"table.{kind}_{row.per}"
    elif row.item == "total":
        key = f"table.total_{kind}"
    else:
        key = "table.machine_money" if row.item == "machine" and kind == "money" else f"table.{kind}"
    text = say[key].format(name=row.name or say["all"])
    return say["table.as_budget"].format(item=text) if row.as_budget else text


def _advice(row: Row, say: Words) -> str:
    if row.times:
        key = "over" if row.exceeded else "within"
        return say[f"advice.{row.per}_{key}"].format(n=row.exceeded, times=row.times)
    over = row.compared - (row.budget or 0)
    text = say[f"advice.{row.advice}"].format(
        share=percent(row.share or 0), over=quantity(say, over, row.unit)
    )
    if row.whole is None:
        return text
    whole = quantity(say, row.whole, row.unit)
    return say["advice.whole"].format(whole=whole, per=say[f"per.{row.per}"], advice=text)
