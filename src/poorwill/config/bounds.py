"""Which budgets bind which service and machine, and what does not fit between budgets and the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from poorwill.config.budget import LONGEST, BudgetConfig
from poorwill.config.claims import Complaint
from poorwill.config.complaint import Loc, wrong
from poorwill.core.budget import HOURS, AtLimit, Budget

if TYPE_CHECKING:
    from poorwill.config.machine import MachineConfig
    from poorwill.config.service import ServiceConfig
    from poorwill.config.spec import Settings


def all_budgets(settings: Settings) -> dict[str, tuple[Budget, ...]]:
    """Each one's own, by name; those for everything together under the empty name."""
    found: dict[str, tuple[Budget, ...]] = dict.fromkeys(("", *_everybody(settings)), ())
    for _, budget in placed_budgets(settings):
        found[budget.payer] += (budget,)
    return found


def placed_budgets(settings: Settings) -> Iterator[tuple[Loc, Budget]]:
    """All there are, each with the path of its limit in the file."""
    yield from _made((), settings.budget, "", settings.timezone, settings.currency or "", settings)
    for name, tenant in _everybody(settings).items():
        spoken = next(iter(_prices(tenant, settings)), "") or settings.currency or ""
        section = "machines" if name in settings.machines else "services"
        yield from _made((section, name), tenant.budget, name, tenant.zone, spoken, settings)


def bounds(settings: Settings) -> dict[str, tuple[Budget, ...]]:
    """All that bind each service and machine: its own, those of what it needs or runs on, and those for
    everything. Who needs what may not be used any more cannot be used either.
    """
    own = all_budgets(settings)
    binding: dict[str, tuple[Budget, ...]] = {}
    for name in _everybody(settings):
        names = [name, *_needs(name, settings.services), ""]
        binding[name] = tuple(budget for one in names for budget in own.get(one, ()))
    return binding


def budget_complaints(settings: Settings) -> Iterator[Complaint]:
    """Budgets of money where nothing says what anything costs, or not in this currency."""
    yield from _complaints((), settings.budget, [*_everybody(settings).values()], settings)
    for name, machine in settings.machines.items():
        here: list[ServiceConfig | MachineConfig] = [machine]
        here += [one for one in settings.services.values() if one.on == name]
        yield from _complaints(("machines", name), machine.budget, here, settings)
    for name, service in settings.services.items():
        yield from _complaints(("services", name), service.budget, [service], settings)


def budget_warnings(budget: Budget, most: int, *, woken: bool = True) -> Iterator[str]:
    """What somebody should know of a budget that is fine as such. ``most`` instances may be there; ``woken``
    says whether requests can wake it at all.
    """
    if budget.at_limit is AtLimit.NO_WAKE and not woken:
        yield "requests do not wake it anyway, so no_wake changes nothing: write at_limit: closed, or warn"
    longest = LONGEST[budget.per] * most
    if budget.unit == HOURS and budget.limit > longest:
        each = f" for {most} instances" if most > 1 else ""
        yield f"a {budget.per} has at most {longest} hours{each}, so this one is never used up"


def _everybody(settings: Settings) -> dict[str, ServiceConfig | MachineConfig]:
    return {**settings.machines, **settings.services}


def _made(
    above: Loc, written: Sequence[BudgetConfig], payer: str, zone: str, currency: str, settings: Settings
) -> Iterator[tuple[Loc, Budget]]:
    rates = tuple((name, one.rate) for name, one in settings.exchange_rates.items())
    for index, one in enumerate(written):
        for budget in one.budgets(payer, zone, currency):
            loc = (*above, "budget", index, "hours" if budget.unit == HOURS else "amount")
            yield loc, budget.with_rates(rates) if budget.unit == settings.currency else budget


def _needs(name: str, services: Mapping[str, ServiceConfig]) -> list[str]:
    """Its machine, what it needs, and so on; each once."""
    found: list[str] = []
    ahead = [name]
    while ahead:
        one = services.get(ahead.pop())
        fresh = [other for other in (*one.needs, one.on) if other] if one else []
        fresh = [other for other in dict.fromkeys(fresh) if other not in found and other != name]
        found += fresh
        ahead += fresh
    return found


def _prices(tenant: ServiceConfig | MachineConfig, settings: Settings) -> list[str]:
    """The currency of its price, or of its machine's; empty text for a typical price, not known yet."""
    machine = settings.machines.get(getattr(tenant, "on", None) or "")
    price = tenant.price or (machine.price if machine else None)
    if price is None:
        return []
    known = price.price(settings.currency or "")
    return ["" if known.typical else known.currency]


def _complaints(
    loc: Loc,
    written: Sequence[BudgetConfig],
    payers: Sequence[ServiceConfig | MachineConfig],
    settings: Settings,
) -> Iterator[Complaint]:
    spoken = [currency for payer in payers for currency in _prices(payer, settings)]
    rates: Mapping[str, Decimal] = {name: one.rate for name, one in settings.exchange_rates.items()}
    for index, one in enumerate(written):
        at: Loc = (*loc, "budget", index, "amount")
        if one.amount is None:
            continue
        unit = one.amount.currency or (settings.currency or "" if not loc else next(iter(spoken), ""))
        unit = unit or settings.currency or ""
        apart = sorted({other for other in spoken if other and unit and other != unit})
        if unit == settings.currency:
            apart = [other for other in apart if other not in rates]
        if not spoken:
            hint = "add price: {per_hour: 3.90} to it, or write hours: in place of amount:"
            yield at, wrong("nothing says what an hour costs, so no money can be counted", hint), None
        elif not unit:
            hint = f"write currency: CNY at the top of the file, or amount: {one.amount.value:f} CNY"
            yield at, wrong("nothing says which currency this is", hint, about=(("currency",),)), None
        elif apart:
            hint = f"write the budget in {apart[0]}"
            if not loc:
                hint = f"say what it is worth: exchange_rates: {{{apart[0]}: {{rate: ..., date: ...}}}}"
            said = f"a budget in {unit} and prices in {', '.join(apart)}: these are not added"
            yield at, wrong(said, hint), None
