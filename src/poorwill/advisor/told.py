"""What poorwill.yaml says that an estimate needs: the price, when it sleeps, its hours, what is fixed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from poorwill.advisor.estimate import Fixed, Month, Rate
from poorwill.advisor.gpus import find, typical
from poorwill.config import MachineConfig, ServiceConfig, Settings
from poorwill.core.localtime import at, day_of, start_of
from poorwill.core.money import per_hour_text
from poorwill.core.price import Price
from poorwill.core.schedule import Timetable
from poorwill.errors import BadInput

_DAYS = {"day": Decimal(1), "week": Decimal(7), "year": Decimal(365)}


@dataclass(frozen=True, slots=True)
class Told:
    """About one service. ``rate`` None: the file has no price for it; ``said`` is where the price is from.

    ``timetable`` None: it has no hours. ``idle`` is in seconds.
    """

    name: str
    idle: float
    timetable: Timetable | None
    rate: Rate | None = None
    said: str = ""


def told(settings: Settings, name: str) -> Told | None:
    """About the service ``name``; when that is empty, about the only one that has a price, itself or by its
    machine, or else about the only one there is. None: it is not clear which is meant.
    """
    if name and name not in settings.services:
        known = ", ".join(settings.services)
        raise BadInput(f"there is no service {name!r}", hint=f"the services are {known}")
    priced = with_price(settings)
    only = next((some[0] for some in (priced, list(settings.services)) if len(some) == 1), None)
    chosen = name or (only if len(priced) <= 1 else None)
    if chosen is None:
        return None
    service = settings.services[chosen]
    machine = settings.machines.get(service.on or "")
    table = service.timetable if service.timetable and service.timetable.has_windows else None
    idle = service.sleeps_after + (machine.idle_after if machine else 0.0)
    payer = _payer(settings, chosen)
    if payer is None or payer.price is None:
        return Told(chosen, idle, table)
    rate, said = rate_of(payer.price.price(settings.currency or ""), payer.name)
    return Told(chosen, idle, table, rate, said)


def with_price(settings: Settings) -> list[str]:
    """The services that have one, themselves or by their machine."""
    return [name for name in settings.services if _payer(settings, name) is not None]


def fixed_items(settings: Settings, currency: str, days: int) -> tuple[tuple[Fixed, ...], tuple[str, ...]]:
    """What ``costs:`` says, for a month of so many days, and the names of what is in another currency."""
    items, others = [], []
    for name, config in settings.costs.items():
        cost = config.cost(name, settings.currency or "", settings.timezone)
        if cost.currency != currency:
            others.append(f"{name} ({cost.currency})")
            continue
        amount = cost.amount if cost.per == "month" else cost.amount * days / _DAYS[cost.per]
        items.append(Fixed(name, amount, gateway=name.lower() == "gateway"))
    return tuple(items), tuple(others)


def rate_of(price: Price, where: str) -> tuple[Rate, str]:
    """What an hour costs, and where that is from. Raises BadInput when nobody knows."""
    if price.power is not None:
        per_hour = price.power.watts * price.power.per_kwh / 1000
        kwh = per_hour_text(price.power.per_kwh, price.currency)
        said = f"{price.power.watts:f} watts at {kwh} a kWh ({where})"
        return Rate(per_hour, price.currency, 0.0), said
    if price.per_hour is not None:
        return Rate(
            price.per_hour, price.currency, price.step, price.minimum
        ), f"from poorwill.yaml ({where})"
    # A price from the table has a currency of its own where there is none in that of the file.
    here = typical(price.gpu, currency=price.currency) if price.currency else None
    rate, said = typical_rate(price.gpu, here.currency if here else None)
    return Rate(rate.per_hour, rate.currency, price.step, price.minimum), said


def typical_rate(gpu: str, currency: str | None) -> tuple[Rate, str]:
    """From the shipped table. Raises BadInput for a GPU that is not in it, or has no price there."""
    name = find(gpu).name
    price = typical(gpu, currency=currency)
    if price is None:
        where = f"in {currency} " if currency else ""
        hint = f"say what you pay: --price 3.90 --currency {currency or 'CNY'}"
        raise BadInput(f"no typical price of {name} {where}is known", hint=hint)
    said = f"typical for {name}: {price.provider}, {price.date}; your own --price counts more"
    return Rate(price.per_hour, price.currency), said


def _payer(settings: Settings, name: str) -> ServiceConfig | MachineConfig | None:
    """The service itself or its machine: whichever has a price."""
    service = settings.services[name]
    machine = settings.machines.get(service.on or "")
    return next((one for one in (service, machine) if one is not None and one.price is not None), None)


def lengths(table: Timetable, month: Month, now: float) -> list[float]:
    """How long each window in the month is, in seconds; what reaches beyond the month is cut there."""
    first = month.first or day_of(now, table.zone) + timedelta(days=1)
    start, end = (start_of(at(day, 0), table.zone) for day in (first, first + timedelta(days=month.days)))
    cut = [
        (max(one.start, start), min(end if one.stop is None else one.stop, end))
        for one in table.openings(start, month.days + 1)
    ]
    return [stop - begin for begin, stop in cut if stop > begin]
