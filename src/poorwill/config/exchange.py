"""The ``exchange_rates:`` section: what other currencies are worth, only as the user states it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from poorwill.config.claims import Complaint
from poorwill.config.complaint import expected, wrong
from poorwill.config.currency import Number
from poorwill.config.days import Day
from poorwill.core.statement import Exchange


def _worth_something(value: Number) -> Number:
    if not value:
        raise expected("a rate above 0")
    return value


class RateConfig(BaseModel):
    """What one unit of a currency is worth in the currency of the file, and on which day that was so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: Annotated[Number, AfterValidator(_worth_something)] = Field(
        description="How much of the file's currency one unit is, such as 7.12."
    )
    date: Day = Field(description="The day of this rate, such as 2026-11-20. It is shown beside each figure.")


def _keys(value: Any) -> Any:
    if not isinstance(value, RateConfig | Mapping):
        raise expected("keys such as {rate: 7.12, date: 2026-11-20}")
    return value


Rate = Annotated[RateConfig, BeforeValidator(_keys, json_schema_input_type=RateConfig)]


def exchanges(rates: Mapping[str, RateConfig]) -> dict[str, Exchange]:
    """The rates by currency, as the accounts use them."""
    return {name: Exchange(one.rate, one.date.isoformat()) for name, one in rates.items()}


def rate_warnings(rates: Mapping[str, RateConfig], today: date) -> Iterable[str]:
    """``today`` by the calendar of the file's zone."""
    for name, one in rates.items():
        if one.date > today:
            yield f"exchange_rates.{name}: {one.date} is still to come: no rate of that day is known"


def rate_complaints(rates: Mapping[str, RateConfig], currency: str) -> Iterable[Complaint]:
    for name in rates:
        if not currency:
            error = wrong("nothing says into which currency", "write currency: CNY at the top of the file")
            yield ("exchange_rates", name), error, None
        elif name == currency:
            error = wrong(f"{name} is the currency of the file itself", "leave it out")
            yield ("exchange_rates", name), error, None
