"""The ``costs:`` section: what is paid whether anything is awake or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from poorwill.config.claims import Complaint
from poorwill.config.complaint import expected, wrong
from poorwill.config.currency import Amount, Currency, Money
from poorwill.core.costs import Cost

if TYPE_CHECKING:
    from poorwill.config.service import ServiceConfig


def _item(value: object) -> str:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text or not text.isprintable() or len(text) > 60:
        raise expected("the name of a cost, such as storage")
    return text


def _above_zero(value: Amount) -> Amount:
    if not value.value:
        raise expected("an amount above 0", "leave it out where there is no limit")
    return value


ItemName = Annotated[str, PlainValidator(_item), WithJsonSchema({"type": "string", "pattern": "^.{1,60}$"})]


class CostConfig(BaseModel):
    """One thing that costs money all the time, such as a disk or the small machine of the gateway."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Money = Field(description="What it costs, such as 35 or 35 CNY.")
    per: Literal["day", "week", "month", "year"] = Field(
        default="month", description="For how long that is. A part of this time costs a part of the amount."
    )
    budget: Annotated[Money, AfterValidator(_above_zero)] | None = Field(
        default=None, description="What it may cost in this time; the monthly review says when it was more."
    )
    currency: Currency | None = Field(
        default=None, description="The currency of the amounts. Default: that of the file."
    )
    service: str | None = Field(
        default=None, alias="for", description="The service it is for. Default: for all of them."
    )

    def cost(self, name: str, currency: str, zone: str) -> Cost:
        """``currency`` and ``zone`` are those of the file."""
        spoken = self.currency or self.amount.currency or currency
        budget = None if self.budget is None else self.budget.value
        return Cost(name, self.amount.value, spoken, self.per, zone, budget, self.service or "")


def cost_complaints(
    costs: Mapping[str, CostConfig], services: Mapping[str, ServiceConfig], currency: str
) -> Iterable[Complaint]:
    for name, cost in costs.items():
        loc = ("costs", name)
        spoken = cost.currency or cost.amount.currency or currency
        if not spoken:
            hint = f"write currency: CNY at the top of the file, or amount: {cost.amount.value:f} CNY"
            error = wrong("nothing says which currency this is", hint, about=(("currency",),))
            yield (*loc, "amount"), error, None
        for key in ("amount", "budget"):
            amount = getattr(cost, key)
            if amount and amount.currency and spoken and amount.currency != spoken:
                said = f"{amount.currency} here and {spoken} beside it"
                yield (*loc, key), wrong(said, "an item has one currency", about=((*loc, "currency"),)), None
        if cost.service is not None and cost.service not in services:
            hint = f"the services are {', '.join(services)}"
            yield (*loc, "for"), wrong(f"there is no service {cost.service}", hint), cost.service
