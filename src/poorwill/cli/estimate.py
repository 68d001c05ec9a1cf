"""``estimate``: what a month would cost, before anything runs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poorwill.cli import given
from poorwill.cli.options import FILE, AsJson, File, read
from poorwill.errors import BadInput

if TYPE_CHECKING:
    from poorwill.advisor.estimate import Bill, Fixed, Month, Rate
    from poorwill.advisor.told import Told

_VISITS = {"": 1.0, "/day": 1.0, "/d": 1.0, "/hour": 1 / 24, "/h": 1 / 24, "/week": 7.0, "/month": 30.0}
_MANY = 1_000_000
NOBODY = "on request is left out: with no visits at all it would never wake"


def register(app: typer.Typer) -> None:
    app.command()(estimate)


@dataclass(frozen=True, slots=True)
class Basis:
    """What the figures rest on."""

    rate: Rate
    said: str
    month: Month
    told: Told | None
    fixed: tuple[Fixed, ...]
    notes: tuple[str, ...]


def estimate(
    gpu: Annotated[str, typer.Option("--gpu", help="A GPU, for its typical price: A10G.")] = "",
    price: Annotated[str, typer.Option("--price", help="What an hour costs: 3.90, or 3.90 CNY.")] = "",
    currency: Annotated[str, typer.Option("--currency", help="Its currency: CNY, USD.")] = "",
    hours: Annotated[float, typer.Option("--hours", help="Hours a day; visits come within them.")] = 10.0,
    workday_hours: Annotated[float, typer.Option("--workday-hours", help="Hours of a workday.")] = 8.0,
    visits: Annotated[str, typer.Option("--visits", help="How many come: 40/day, 200/week.")] = "40/day",
    visit: Annotated[str, typer.Option("--visit", help="How long each keeps it busy.")] = "5m",
    idle: Annotated[
        str, typer.Option("--idle", help="How long nobody needs it before it sleeps; 10m, or idle_after.")
    ] = "",
    wake: Annotated[str, typer.Option("--wake", help="How long a start takes.")] = "60s",
    storage: Annotated[str, typer.Option("--storage", help="What storage costs a month.")] = "",
    gateway: Annotated[
        str, typer.Option("--gateway", help="What the small machine of the gateway costs a month.")
    ] = "",
    month: Annotated[str, typer.Option("--month", help="A month: 2026-11. Default: 30 days.")] = "",
    service: Annotated[str, typer.Option("--service", help="Which service of poorwill.yaml.")] = "",
    file: File = FILE,
    as_json: AsJson = False,
) -> None:
    """Estimate what a month costs: day and night, some hours a day, on workdays, or on request.

    Price, idle_after, hours and fixed costs are taken from poorwill.yaml where there is one.
    """
    from poorwill.advisor.demand import Visits
    from poorwill.advisor.estimate import bill

    _hours("--hours", hours)
    _hours("--workday-hours", workday_hours)
    basis = _basis(gpu, price, currency, (storage, gateway), month, service, file)
    asleep = given.seconds("--idle", idle) if idle else basis.told.idle if basis.told else 600.0
    coming = Visits(
        per_day=_per_day(visits),
        hours=hours * 3600,
        visit=given.seconds("--visit", visit),
        idle=asleep,
        wake=given.seconds("--wake", wake),
    )
    if not coming.per_day:
        basis = replace(basis, notes=(*basis.notes, NOBODY))
    plans = _plans(basis, hours, workday_hours, coming)
    bills = [bill(plan, basis.rate, basis.fixed) for plan in plans]
    if as_json:
        typer.echo(json.dumps(_plain(basis, coming, bills), indent=2, ensure_ascii=False))
        return
    from poorwill.cli.estimated import print_bills

    print_bills(bills, basis.rate, coming, (basis.said, *basis.notes))


def _plans(basis: Basis, hours: float, workday_hours: float, coming: Any) -> list[Any]:
    from poorwill import clock
    from poorwill.advisor.estimate import usual, windows

    plans = usual(basis.month, hours, workday_hours, coming, basis.rate)
    if basis.told is not None and basis.told.timetable is not None:
        from poorwill.advisor.told import lengths

        opened = lengths(basis.told.timetable, basis.month, clock.now().wall)
        says = f"the hours of {basis.told.name} in poorwill.yaml"
        plans.insert(
            -1 if coming.per_day else len(plans), windows("its schedule", says, opened, coming, basis.rate)
        )
    return plans


def _basis(
    gpu: str, price: str, currency: str, monthly: tuple[str, str], month: str, service: str, file: Path
) -> Basis:
    from poorwill.advisor.estimate import Fixed
    from poorwill.advisor.told import fixed_items, told, with_price

    settings = read(file) if _is_there(file) else None
    if settings is None and service:
        raise BadInput(f"there is no {file}", hint="--service names a service in it; --file says where it is")
    about = told(settings, service) if settings is not None else None
    if about is None and settings is not None and not (gpu or price) and (priced := with_price(settings)):
        raise BadInput("several services have a price", hint=f"say which: --service {priced[0]}")
    rate, said = _rate(gpu, price, currency, about)
    chosen = _month(month)
    notes: list[str] = []
    items: tuple[Fixed, ...] = ()
    if settings is not None and not any(monthly):
        items, others = fixed_items(settings, rate.currency, chosen.days)
        notes += [f"left out, since it is in another currency: {', '.join(others)}"] if others else []
    for name, text in zip(("storage", "gateway"), monthly, strict=True):
        if text:
            amount, spoken = given.money(f"--{name}", text)
            if spoken not in ("", rate.currency):
                hint = f"write it in {rate.currency}: Poorwill does not convert"
                raise BadInput(f"--{name} is in {spoken}, and the price in {rate.currency}", hint=hint)
            items += (Fixed(name, amount, gateway=name == "gateway"),)
    return Basis(rate, said, chosen, about, items, tuple(notes))


def _rate(gpu: str, price: str, currency: str, about: Told | None) -> tuple[Rate, str]:
    """The user's figure wins; then poorwill.yaml; then what is typical."""
    from poorwill.advisor.estimate import Rate
    from poorwill.advisor.gpus import find
    from poorwill.advisor.told import typical_rate

    spoken = given.currency("--currency", currency) if currency else ""
    if price:
        amount, own = given.money("--price", price)
        if own and spoken and own != spoken:
            raise BadInput(f"--price is in {own}, and --currency says {spoken}", hint="leave one of them out")
        if not (own or spoken):
            raise BadInput(
                "nothing says which currency the price is in",
                hint=f"add --currency CNY, or write --price '{price} CNY'",
            )
        card = f" of an hour with {find(gpu).name}" if gpu else ""
        return Rate(amount, own or spoken), f"your price{card}"
    if gpu:
        return typical_rate(gpu, spoken or None)
    if about is not None and about.rate is not None:
        if spoken and spoken != about.rate.currency:
            said = f"the price in poorwill.yaml is in {about.rate.currency}, not in {spoken}"
            raise BadInput(
                said, hint=f"leave --currency out, or say a price: --price 3.90 --currency {spoken}"
            )
        return about.rate, about.said
    raise BadInput(
        "nothing says what an hour costs",
        hint="--price 3.90 --currency CNY, or --gpu A10G for a typical price, or price: in poorwill.yaml",
    )


def _is_there(file: Path) -> bool:
    """Whether to read it. The usual one may be missing, one that was named may not."""
    if not file.exists() and file != FILE:
        raise BadInput(f"there is no file {file}", hint="without --file no file is needed")
    return file.exists()


def _hours(option: str, hours: float) -> None:
    if not 0 < hours <= 24:
        raise BadInput(f"{option} {hours:g}: expected more than 0 and at most 24", hint="a day has 24 hours")


def _per_day(text: str) -> float:
    """``40/day``, ``200/week`` or ``40``."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(/[a-z]+)?", text.strip().lower(), re.ASCII)
    if match is None or (match[2] or "") not in _VISITS:
        hint = "write 40/day, 200/week or 1000/month"
        raise BadInput(f"--visits {text}: expected how many come in a day", hint=hint)
    count = float(match[1]) / _VISITS[match[2] or ""]
    if count > _MANY:
        raise BadInput(f"--visits {text}: expected at most a million a day", hint="then it never sleeps")
    return count


def _month(text: str) -> Month:
    """``2026-11``, with the workdays that it really has; holidays are not known."""
    from calendar import monthrange

    from poorwill.advisor.estimate import Month

    if not text:
        return Month()
    match = re.fullmatch(r"(\d{4})-(\d{1,2})", text.strip(), re.ASCII)
    if match is None or not 1 <= int(match[2]) <= 12 or int(match[1]) < 1970:
        raise BadInput(f"--month {text}: expected a month", hint="write 2026-11")
    first = date(int(match[1]), int(match[2]), 1)
    weekday, days = monthrange(first.year, first.month)
    return Month(days, sum((weekday + day) % 7 < 5 for day in range(days)), first)


def _plain(basis: Basis, coming: Any, bills: list[Bill]) -> dict[str, Any]:
    from poorwill.core.money import rounded

    def shown(amount: Decimal) -> str:
        return str(rounded(amount, basis.rate.currency))

    first = bills[0]
    return {
        "currency": basis.rate.currency,
        "per_hour": str(basis.rate.per_hour),
        "price_from": basis.said,
        "days": basis.month.days,
        "workdays": basis.month.workdays,
        "visits_per_day": coming.per_day,
        "visit_seconds": coming.visit,
        "idle_seconds": coming.idle,
        "wake_seconds": coming.wake,
        "notes": list(basis.notes),
        "plans": [
            {
                "name": one.plan.name,
                "says": one.plan.says,
                "hours": round(one.plan.seconds / 3600, 2),
                "extra_hours": round(one.plan.extra / 3600, 2),
                "starts": round(one.plan.lives, 1),
                "hours_amount": shown(one.hours),
                "extra_amount": shown(one.extra),
                "rounding_amount": shown(one.rounding),
                "fixed": {name: shown(amount) for name, amount in one.fixed},
                "total": shown(one.total),
                "saved": shown(first.total - one.total),
            }
            for one in bills
        ],
    }
