"""Budgets in words: for ``why``, ``wake`` and ``check``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from poorwill.config.bounds import budget_warnings
from poorwill.core.budget import AtLimit, Budget, amount_text, used_text
from poorwill.errors import PoorwillError

Json = dict[str, Any]

_BY = {
    "weekdays": "by the weekdays of the last four weeks",
    "mean": "if it goes on as it did so far",
}
_FOLLOWS = {
    AtLimit.WARN: "then only a warning",
    AtLimit.NO_WAKE: "then requests wake it no more",
    AtLimit.CLOSED: "then it is closed",
}


def budgets(facts: Json, zone: ZoneInfo) -> Iterator[str]:
    """A line for each budget that binds the service of this row."""
    for one in facts["budgets"]:
        limit, unit = amount_text(Decimal(one["limit"]), one["unit"]), one["unit"]
        whose = "" if one["of"] == facts["name"] else f" of {one['of'] or 'everything together'}"
        if one["used"] is None:
            yield f"budget{whose}: {limit} a {one['per']}; nobody knows yet what is used of it"
            continue
        if one["uncounted"] and not Decimal(one["used"]):
            yield f"budget{whose}: {limit} a {one['per']}; it cannot be counted: {_why_not(one['uncounted'])}"
            continue
        used = f"{used_text(Decimal(one['used']), unit)} ({one['percent']:g}%) used"
        words = [f"{limit} a {one['per']}, {used}"]
        if one["forecast"] is not None:
            ahead = used_text(Decimal(one["forecast"]), unit)
            words.append(f"about {ahead} at the end, {_BY[one['forecast_by']]}")
        else:
            words.append("too early to tell what it will come to")
        if one["in_force"]:
            words.append(f"used up until {_moment(one['ends'], zone)}")
        else:
            when = f" ({_moment(one['spent_at'], zone)} as it goes now)" if one["spent_at"] else ""
            words.append(f"{_FOLLOWS[AtLimit(one['at_limit'])]}{when}")
        if missing := ", ".join(filter(None, one["uncounted"])):
            words.append(f"what was paid in {missing} is not counted")
        if "" in one["uncounted"]:
            words.append("nobody knows what an hour costs")
        yield f"budget{whose}: {'; '.join(words)}"


def _why_not(uncounted: Sequence[str]) -> str:
    known = ", ".join(filter(None, uncounted))
    if known:
        return f"nobody said what {known} is worth; write it in {known}, or add exchange_rates"
    return "nobody knows what an hour costs; state per_hour in its price"


def stays_closed(row: Json, zone: ZoneInfo) -> PoorwillError:
    """What ``wake`` says when a budget is stronger."""
    closed = [one for one in row["budgets"] if one["in_force"] and one["at_limit"] == "closed"]
    last = max(closed, key=lambda one: str(one["ends"]))
    limit = amount_text(Decimal(last["limit"]), last["unit"])
    of = last["of"] or "everything together"
    whose = "its budget" if of == row["name"] else f"the budget of {of}"
    used = used_text(Decimal(last["used"]), last["unit"])
    return PoorwillError(
        f"{row['name']} stays asleep until {_moment(last['ends'], zone)}: {whose}, {limit} a {last['per']}, "
        f"is used up with {used}",
        hint="to wake it before, raise `budget` in the configuration and say `poorwill reload`",
    )


def described(written: tuple[Budget, ...], most: int = 1, *, woken: bool = True) -> Iterator[str]:
    """Lines for ``check``. ``most`` instances there may be; ``woken``: requests wake it."""
    for budget in written:
        follows = {
            AtLimit.WARN: "only warns",
            AtLimit.NO_WAKE: "at the limit: requests wake it no more",
            AtLimit.CLOSED: f"at the limit: closed until the next {budget.per}",
        }[budget.at_limit]
        marks = ", ".join(f"{percent:g}%" for percent in budget.thresholds)
        yield f"budget: {budget}; {follows}; {f'alerts at {marks}' if marks else 'no alerts'}"
        yield from (f"warning: {words}" for words in budget_warnings(budget, most, woken=woken))


def _moment(stamp: str, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(stamp).astimezone(zone)
    return f"{at:%a} {at.day} {at:%b %H:%M}"
