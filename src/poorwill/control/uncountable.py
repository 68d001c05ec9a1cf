"""Budgets of money in which something can never be counted, by the prices that are known only now: a typical
price is in the currency of the table, and for a card that nobody knows there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from poorwill.config import Settings
from poorwill.config.bounds import placed_budgets
from poorwill.config.complaint import Loc
from poorwill.control.terms import Tenant, Typical, price_of
from poorwill.core.budget import HOURS, Budget


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing in a budget, and what to do. ``loc`` is where the budget stands in the file.
    ``currency`` is that of what is missing, empty where there is no price at all.
    """

    budget: Budget
    loc: Loc
    currency: str
    what: str
    hint: str


def gaps(settings: Settings, typical: Typical) -> Iterator[Gap]:
    """Each once. Blocks as ``typical`` does."""
    tenants: Mapping[str, Tenant] = {**settings.machines, **settings.services}
    for loc, budget in placed_budgets(settings):
        if budget.unit == HOURS:
            continue
        payers = [tenants[budget.payer]] if budget.payer else [*tenants.values()]
        found = {gap.what: gap for one in payers for gap in _gaps(loc, budget, one, settings, typical)}
        yield from found.values()


def _gaps(loc: Loc, budget: Budget, tenant: Tenant, settings: Settings, typical: Typical) -> Iterator[Gap]:
    machine = settings.machines.get(getattr(tenant, "on", None) or "")
    payer = machine if machine and machine.price else tenant
    price, trouble = price_of(payer, settings.currency or "", typical)
    if price is None:
        if trouble:
            what, _, hint = trouble.partition(": ")
            yield Gap(budget, loc, "", f"{what}, so it cannot be counted", hint)
    elif budget.worth(Decimal(1), price.currency) is None:
        currency = price.currency
        rates = f"exchange_rates: {{{currency}: {{rate: 7.12, date: 2026-11-20}}}}"
        if settings.currency != budget.unit:
            rates = f"currency: {budget.unit} and {rates}"
        source = f"the typical price of {price.gpu}" if price.typical else f"the price of {payer.name}"
        what = f"{source} is in {currency}, which does not count in a budget in {budget.unit}"
        hint = f"write the budget in {currency}, or say at the top of the file what that is worth: {rates}"
        yield Gap(budget, loc, currency, what, hint)
