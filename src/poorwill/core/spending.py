"""What of a budget was used, by the lines of a bill, and how fast it is used by what is there now.

A budget of a machine is for the machine, with all the parts that others have of it. In a budget of hours for
everything, what is on a machine does not count beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from poorwill.core.bill import Line
from poorwill.core.budget import HOURS, Budget
from poorwill.core.price import Price


@dataclass(frozen=True, slots=True)
class Awake:
    """How many instances of each are there now, what each is on, and what each costs."""

    instances: Mapping[str, int] = field(default_factory=dict)
    on: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)


def used(budget: Budget, lines: Iterable[Line]) -> Decimal:
    """In the unit of the budget. Amounts that nobody can turn into it are left out."""
    payer = budget.payer
    if budget.unit == HOURS:
        told = (line for line in lines if payer in ("", line.name))
        seconds = (Decimal(line.seconds if payer else line.seconds - line.aboard) for line in told)
        return sum(seconds, Decimal(0)) / 3600
    paid = ((line.currency, _paid(budget, line)) for line in lines)
    amounts = (budget.worth(amount, currency) for currency, amount in paid if amount is not None)
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def _paid(budget: Budget, line: Line) -> Decimal | None:
    """What of it counts in the budget; None for nothing, and for what nobody knows the price of."""
    if budget.payer not in ("", line.name):
        return None
    return line.amount if not budget.payer or line.whole is None else line.whole


def uncounted(budget: Budget, lines: Iterable[Line]) -> tuple[str, ...]:
    """Currencies in which something was paid that counts in the budget and that nobody can turn into it. An
    empty one: nobody knows what anything cost at all.
    """
    if budget.unit == HOURS:
        return ()
    told = [line for line in lines if budget.payer in ("", line.name)]
    paid = {line.currency for line in told if _paid(budget, line)}
    missing = {currency for currency in paid if budget.worth(Decimal(1), currency) is None}
    unknown = any(line.seconds for line in told) and all(line.amount is None for line in told)
    return tuple(sorted(missing | ({""} if unknown else set())))


def pace(budget: Budget, awake: Awake) -> Decimal:
    """In the unit of the budget, an hour."""
    payer = budget.payer
    names = [name for name, count in awake.instances.items() if count]
    if budget.unit == HOURS:
        counted = [name for name in names if (name == payer if payer else not awake.on.get(name))]
        return sum((Decimal(awake.instances[name]) for name in counted), Decimal(0))
    counted = [name for name in names if payer in ("", name, awake.on.get(name))]
    own = sum((_hourly(budget, name, awake) for name in counted), Decimal(0))
    machine = awake.on.get(payer, "")
    if not machine or payer not in names:
        return own
    sharing = sum(awake.on.get(name) == machine for name in names)
    return own + _hourly(budget, machine, awake) / sharing


def _hourly(budget: Budget, name: str, awake: Awake) -> Decimal:
    """What all instances of it cost an hour; nothing where that is not known."""
    price = awake.prices.get(name)
    if price is None:
        return Decimal(0)
    hour = price.per_hour
    if price.power is not None:
        hour = price.power.watts / 1000 * price.power.per_kwh
    worth = None if hour is None else budget.worth(hour, price.currency)
    return Decimal(0) if worth is None else worth * awake.instances.get(name, 0)
