"""``prices``: what a GPU costs by the hour, from a fresh catalogue where there is one, and the table."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poorwill.cli.options import AsJson
from poorwill.errors import BadInput, PoorwillError

if TYPE_CHECKING:
    from poorwill.advisor.catalogue import Catalogue, Offer
    from poorwill.advisor.gpus import Typical


def register(app: typer.Typer) -> None:
    app.command()(prices)


def prices(
    gpu: Annotated[str, typer.Argument(metavar="GPU", help="Which one, such as A10G.", show_default=False)],
    provider: Annotated[str, typer.Option("--provider", help="Only this one, such as aws.")] = "",
    refresh: Annotated[bool, typer.Option("--refresh", help="Read the newest now.")] = False,
    spot: Annotated[bool, typer.Option("--spot", help="Also what can be taken away at any time.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a GPU costs by the hour at the clouds.

    Newer prices are read from the network when those kept are older than a week, with the extra
    `poorwill[prices]`. Without it, or without a network, older ones are shown, and it says so.
    """
    catalogue, notes = _catalogue(refresh)
    wanted = provider.strip().lower() or None
    _check(gpu, wanted, catalogue)
    offers = [offer for offer in catalogue.of(gpu, wanted) if spot or not offer.spot]
    table = _shipped(gpu, wanted)
    if as_json:
        typer.echo(json.dumps(_plain(gpu, catalogue, offers, table, notes), indent=2, ensure_ascii=False))
        return
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    if not offers and not table:
        where = f" at {provider}" if provider else ""
        raise PoorwillError(f"no price of {gpu}{where} is known", hint="`poorwill gpus` shows which are")
    _print(catalogue, offers, table)


def _catalogue(refresh: bool) -> tuple[Catalogue, list[str]]:
    """What to show, and what must be said about it. With ``refresh`` a failure is one."""
    from poorwill import clock
    from poorwill.advisor.catalogue import FRESH, day, folder, keep, kept, look_up

    place, now = folder(), clock.now().wall
    before = kept(place)
    times = before.providers.values()
    if times and not refresh and 0 <= now - min(times) < FRESH:
        return before, []
    try:
        newest = look_up(before, now)
    except PoorwillError as error:
        if refresh:
            raise
        instead = f"prices of {day(min(times))} are shown" if times else "the shipped table is shown"
        return before, [f"{error} ({error.hint}); {instead}"]
    notes = [
        f"{name} could not be read, its prices are of {day(at)}"
        for name, at in newest.providers.items()
        if at < now
    ]
    try:
        keep(place, newest)
    except OSError as error:
        notes.append(f"the prices could not be kept in {place}: {error.strerror}")
    return newest, notes


def _check(gpu: str, provider: str | None, catalogue: Catalogue) -> None:
    """Raises BadInput for a GPU or a provider that nobody knows."""
    from poorwill.advisor.gpus import find, gpus

    places = {price.provider for one in gpus() for price in one.prices} | set(catalogue.providers)
    if provider is not None and provider not in places:
        raise BadInput(f"no prices of {provider!r} are known", hint=f"there are {', '.join(sorted(places))}")
    if not catalogue.of(gpu):
        find(gpu)


def _shipped(gpu: str, provider: str | None) -> list[Typical]:
    from poorwill.advisor.gpus import known

    card = known(gpu)
    return [one for one in (card.prices if card else ()) if provider in (None, one.provider)]


def _print(catalogue: Catalogue, offers: list[Offer], shipped: list[Typical]) -> None:
    from decimal import Decimal

    from rich.console import Console
    from rich.table import Table

    from poorwill.advisor.catalogue import day
    from poorwill.core.money import per_hour_text

    table = Table("at", "an hour", "read", "what", box=None, pad_edge=False)
    for offer in offers:
        what = f"{offer.instance}, {offer.region}" + (", spot" if offer.spot else "")
        at = day(catalogue.providers[offer.provider])
        table.add_row(offer.provider, per_hour_text(Decimal(offer.per_hour), "USD"), at, f"{what} (gpuhunt)")
    for price in shipped:
        shown = per_hour_text(price.per_hour, price.currency)
        table.add_row(price.provider, shown, price.date, f"{price.source} (shipped table)")
    console = Console() if sys.stdout.isatty() else Console(width=200, soft_wrap=True)
    console.print(table, highlight=False)
    typer.echo(
        "\nPer GPU, without storage and tax. The price that counts is the one you write into poorwill.yaml."
    )


def _plain(
    gpu: str, catalogue: Catalogue, offers: list[Offer], shipped: list[Typical], notes: list[str]
) -> dict[str, Any]:
    from dataclasses import asdict

    from poorwill.advisor.catalogue import day

    fresh = [
        {**asdict(offer), "currency": "USD", "date": day(catalogue.providers[offer.provider])}
        for offer in offers
    ]
    table = [price.model_dump(mode="json") for price in shipped]
    return {"gpu": gpu, "offers": fresh, "shipped": table, "notes": notes}
