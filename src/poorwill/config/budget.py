"""The ``budget:`` of a service, of a machine, or of everything together."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from poorwill.config.claims import Complaint
from poorwill.config.complaint import all_of, expected, wrong
from poorwill.config.currency import Amount, Money, parse_amount, parse_number
from poorwill.core.budget import HOURS, AtLimit, Budget
from poorwill.core.period import Per

WARN: Any = ("50%", "80%", "100%")
LONGEST = {"day": 24, "week": 7 * 24, "month": 31 * 24}
"""Hours of each period, at most, where the clocks do not change."""

_A_BUDGET = "keys such as {hours: 100} or {amount: 400}, or a list of them"
_NEVER = "without any it could never be awake"
_PERCENT = "a percentage such as 80%"
_MOST_PERCENT = 1000


def _hours(value: object) -> Decimal:
    what = "a number of hours such as 100"
    text = str(value).strip()
    if match := re.fullmatch(r"(\d+(?:\.\d+)?) ?(?:h|hours?)", text, re.ASCII):
        raise expected(what, f"write {match[1]}")
    if text.startswith("-") or not (hours := parse_number(value, what)):
        raise expected("more than 0 hours", _NEVER)
    return hours


def _amount(value: object) -> Amount:
    if str(value).strip().startswith("-") or not (amount := parse_amount(value)).value:
        raise expected("an amount above 0", _NEVER)
    return amount


def _percent(value: object) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?%", str(value).strip(), re.ASCII)
    if match is None:
        bare = re.fullmatch(r"\d+(\.\d+)?", str(value).strip(), re.ASCII) and not isinstance(value, bool)
        raise expected(_PERCENT, f"write {value}%" if bare else "")
    percent = float(match[1])
    if not 0 < percent <= _MOST_PERCENT:
        raise expected(f"a percentage above 0% and up to {_MOST_PERCENT}%")
    return percent


def _at_limit(value: object) -> AtLimit:
    known = [str(one) for one in AtLimit]
    text = str(value).strip().lower().replace("-", "_").replace(" ", "_")
    if text not in known or not isinstance(value, str):
        near = difflib.get_close_matches(text, known, n=1, cutoff=0.5)
        raise expected("warn, no_wake or closed", f"did you mean {near[0]}?" if near else "")
    return AtLimit(text)


def _percents(value: object) -> tuple[float, ...]:
    """One alone needs no brackets."""
    found: list[float] = []
    wrongs: list[Complaint] = []
    for index, one in enumerate(value if isinstance(value, list | tuple) else [value]):
        try:
            found.append(_percent(one))
        except PydanticCustomError as error:
            wrongs.append(((index,), error, one))
    if wrongs:
        raise all_of(wrongs)
    return tuple(sorted(set(found)))


Hours = Annotated[
    Decimal,
    PlainValidator(_hours),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0}),
]
Percents = Annotated[
    tuple[float, ...],
    PlainValidator(_percents),
    PlainSerializer(
        lambda found: [f"{percent:g}%" for percent in found], return_type=list[str], when_used="json"
    ),
    WithJsonSchema(
        {
            "type": ["array", "string"],
            "items": {"type": "string", "pattern": r"^\d+(\.\d+)? ?%$"},
            "examples": ["80%"],
        }
    ),
]


class BudgetConfig(BaseModel):
    """How many hours, or how much money, a service, a machine, or everything together may take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hours: Hours | None = Field(
        default=None,
        description="Hours in which an instance is there, those of all instances together.",
    )
    amount: Annotated[Money, PlainValidator(_amount)] | None = Field(
        default=None,
        description="What it may cost, such as 400 or 400 CNY. It needs a price.",
    )
    per: Literal["day", "week", "month"] = Field(
        default="month",
        description="For how long: by the calendar of the time zone, a week from Monday on.",
    )
    at_limit: Annotated[
        AtLimit,
        PlainValidator(_at_limit),
        WithJsonSchema({"enum": [str(one) for one in AtLimit]}),
    ] = Field(
        default=AtLimit.WARN,
        description="What follows when it is used up. warn: a warning. no_wake: requests wake it no more, "
        "its schedule and people still do. closed: it is put to sleep when its work is done, and a page "
        "tells when it opens again.",
    )
    warn: Percents = Field(
        default=WARN,
        validate_default=True,
        description="At which parts of it an alert is given, each once in a period.",
    )

    def budgets(self, payer: str, zone: str, currency: str) -> tuple[Budget, ...]:
        """One for the hours and one for the money. ``currency`` is that of an amount that names none."""
        limits = [] if self.hours is None else [(self.hours, HOURS)]
        if self.amount is not None:
            limits.append((self.amount.value, self.amount.currency or currency))
        return tuple(
            Budget(payer, Per(self.per), zone, limit, unit, self.at_limit, self.warn)
            for limit, unit in limits
        )

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.hours is None and self.amount is None:
            about = (("hours",), ("amount",))
            hint = "write hours: 100, or amount: 400"
            raise all_of([((), wrong("nothing says how much it may take", hint, about=about), None)])
        return self


def _several(value: object) -> object:
    if isinstance(value, BudgetConfig | Mapping):
        return [value]
    if not isinstance(value, list | tuple):
        raise expected(_A_BUDGET)
    return value


def _keys(value: Any) -> Any:
    if not isinstance(value, BudgetConfig | Mapping):
        raise expected("keys such as {hours: 100} or {amount: 400}")
    return value


Item = Annotated[BudgetConfig, BeforeValidator(_keys, json_schema_input_type=BudgetConfig)]
Budgets = Annotated[tuple[Item, ...], BeforeValidator(_several, json_schema_input_type=Item | list[Item])]
