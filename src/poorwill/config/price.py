"""The ``price:`` section: what a service or a machine costs while it is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from poorwill.config.claims import Complaint
from poorwill.config.complaint import Loc, all_of, wrong
from poorwill.config.currency import Currency, Money, Number
from poorwill.config.since import Since
from poorwill.config.units import Duration
from poorwill.core.money import per_hour_text
from poorwill.core.price import Power, Price

if TYPE_CHECKING:
    from poorwill.config.machine import MachineConfig
    from poorwill.config.service import ServiceConfig

STEPS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
"""In which steps time is billed, in seconds."""


class PriceConfig(BaseModel):
    """What it costs: by the hour, or by the power it draws. With ``gpu`` alone, a typical price is taken.

    An amount alone is ``per_hour``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gpu: str = Field(
        default="",
        max_length=100,
        description="The name of the GPU, such as A10G, for reports. Alone, the typical price of this GPU "
        "counts, and is marked as such.",
    )
    per_hour: Money | None = Field(
        default=None,
        description="What an hour costs, such as 3.90 or 3.90 CNY. A started hour counts in part.",
    )
    currency: Currency | None = Field(
        default=None, description="The currency of this price. Default: that of the file."
    )
    billed: Literal["second", "minute", "hour"] = Field(
        default="second",
        description="What a started second, minute or hour is charged as: a whole one.",
    )
    minimum: Duration = Field(
        default=0.0, description="What each start is charged at least, such as 60s, however short it was."
    )
    watts: Number | None = Field(
        default=None, description="For hardware of your own: what it draws while it is on, in watts."
    )
    per_kwh: Money | None = Field(
        default=None, description="For hardware of your own: what a kilowatt hour costs."
    )
    measured: bool = Field(
        default=False,
        description="Measure what the GPU really draws, where that is possible; watts counts for the rest of "
        "the time.",
    )
    base_watts: Number = Field(
        default=Decimal(0),
        description="With measured: what the rest of the machine draws, in watts. It is added.",
    )

    since: Since | None = Field(
        default=None,
        description="From when on this price counts, in the time zone of the file: 2026-11-01, or "
        "'2026-11-01 14:00'. For putting right what was stated wrongly; default: from now on.",
    )

    def price(self, currency: str) -> Price:
        """``currency`` is that of the file. With ``gpu`` alone the price is typical and not known yet."""
        spoken = self.spoken_currency or currency
        power = None
        if self.watts is not None and self.per_kwh is not None:
            power = Power(self.watts, self.per_kwh.value, self.measured, self.base_watts)
        return Price(
            currency=spoken,
            per_hour=None if self.per_hour is None else self.per_hour.value,
            power=power,
            step=0.0 if power else STEPS[self.billed],
            minimum=self.minimum,
            gpu=self.gpu,
            typical=power is None and self.per_hour is None,
        )

    @property
    def spoken_currency(self) -> str:
        """The one that is written in this section; empty when none is."""
        amounts = (self.per_hour, self.per_kwh)
        return self.currency or next((one.currency for one in amounts if one and one.currency), "")

    @model_validator(mode="before")
    @classmethod
    def _an_amount_alone(cls, value: Any) -> Any:
        return {"per_hour": value} if isinstance(value, int | float | str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        whole = handler(schema)
        handler.resolve_ref_schema(whole)["type"] = ["number", "string", "object"]
        return whole

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        found = [*_shape(self), *_currencies(self)]
        if found:
            raise all_of(found)
        return self


def _shape(price: PriceConfig) -> Iterable[Complaint]:
    """Whether it is a price by the hour, by power, or of a GPU; and only one of them."""
    power = price.watts is not None or price.per_kwh is not None
    if price.per_hour is not None and power:
        name = "watts" if price.watts is not None else "per_kwh"
        hint = "per_hour is for what is rented, watts and per_kwh for hardware of your own"
        yield (name,), wrong(f"{name} has no use beside per_hour", hint, about=(("per_hour",),)), None
    elif power and (price.watts is None or price.per_kwh is None):
        name, other = ("watts", "per_kwh") if price.watts is None else ("per_kwh", "watts")
        example = "350" if name == "watts" else "0.62"
        yield (name,), wrong("missing", f"{other} needs it: {name}: {example}", about=((name,),)), None
    elif not power and price.per_hour is None and not price.gpu:
        about = (("per_hour",), ("watts",), ("per_kwh",), ("gpu",))
        hint = "write per_hour: 3.90, or gpu: A10G for its typical price"
        yield ("per_hour",), wrong("missing", hint, about=about), None
    if price.watts == 0:
        yield ("watts",), wrong("expected more than 0 watts", "what it draws while it is on"), None
    for name in ("measured", "base_watts"):
        if name in price.model_fields_set and not power:
            error = wrong(f"{name} has no use without watts", "add watts and per_kwh", about=(("watts",),))
            yield (name,), error, None
    if power:
        for name in ("billed", "minimum"):
            if name in price.model_fields_set:
                hint = f"power is paid for as it flows: leave {name} out"
                yield (name,), wrong(f"{name} has no use beside watts", hint, about=(("watts",),)), None


def _currencies(price: PriceConfig) -> Iterable[Complaint]:
    for name in ("per_hour", "per_kwh"):
        amount = getattr(price, name)
        if amount and amount.currency and price.currency and amount.currency != price.currency:
            said = wrong(
                f"{amount.currency} here and {price.currency} beside it",
                "leave one of them out",
                other=("currency",),
                about=(("currency",),),
            )
            yield (name,), said, None


def price_complaints(
    services: Mapping[str, ServiceConfig], machines: Mapping[str, MachineConfig], currency: str
) -> list[Complaint]:
    """What does not fit between prices and the rest of the file."""
    found: list[Complaint] = []
    for name, machine in machines.items():
        found += _currency(("machines", name, "price"), machine.price, currency)
    for name, service in services.items():
        found += _currency(("services", name, "price"), service.price, currency)
        beneath = machines.get(service.on or "")
        if service.price is not None and beneath is not None and beneath.price is not None:
            there: Loc = ("machines", beneath.name, "price")
            hint = f"the machine is what is rented: leave this price out, {name} gets its part"
            error = wrong(f"{beneath.name} has a price too: this would be paid twice", hint, other=there)
            found.append((("services", name, "price"), error, None))
    return found


def _currency(loc: Loc, price: PriceConfig | None, currency: str) -> Iterable[Complaint]:
    """A price from the shipped table has a currency of its own."""
    if price is None or price.spoken_currency or currency:
        return
    name = "per_hour" if price.per_hour is not None else "per_kwh"
    amount = getattr(price, name)
    if amount is not None:
        hint = f"write currency: CNY at the top of the file, or {name}: {per_hour_text(amount.value, 'CNY')}"
        yield (*loc, name), wrong("nothing says which currency this is", hint, about=(("currency",),)), None
