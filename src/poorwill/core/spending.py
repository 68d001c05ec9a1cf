"""What of a budget was used, by the lines of a bill, and how that goes on with what is there now.

A budget of a machine is for the machine, with all the parts that others have of it. In a budget of hours for
everything, what is on a machine does not count beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from poorwill.core.ahead import Going
from poorwill.core.bill import Line
from poorwill.core.budget import HOURS, Budget
from poorwill.core.growth import Grows, Growth
from poorwill.core.tariff import HOUR


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


def growth(budget: Budget, ahead: Iterable[Going]) -> tuple[Grows, ...]:
    """What of it goes on, in the unit of the budget."""
    payer = budget.payer
    if budget.unit == HOURS:
        counted = (one for one in ahead if (one.payer == payer if payer else not one.aboard))
        return tuple(Growth(Fraction(1, HOUR)) for _ in counted)
    found: list[Grows] = []
    for one in ahead:
        worth = budget.worth(Decimal(1), one.currency)
        if worth is None:
            continue
        rate = Fraction(worth)
        if one.cost is not None and payer in ("", one.payer):
            found.append(replace(one.cost, per_micro=one.cost.per_micro * rate))
        if part := one.parts.get(payer):
            machine = replace(part.machine, per_micro=part.machine.per_micro * rate)
            found.append(replace(part, machine=machine, idle=part.idle * rate))
    return tuple(found)
