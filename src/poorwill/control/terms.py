"""What everything costs, written down when it changes.

A later price changes nothing about the past, unless it says since when it counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog

from poorwill import clock
from poorwill.config import MachineConfig, ServiceConfig, Settings
from poorwill.config.exchange import exchanges
from poorwill.control.recorder import Recorder
from poorwill.core.localtime import start_of
from poorwill.core.money import price_text
from poorwill.core.price import Price
from poorwill.core.statement import Statement
from poorwill.errors import StateError
from poorwill.store.journal import Entry, Journal, Kind

log = structlog.get_logger()

AGAIN = 5.0
"""Seconds until a journal that could not be read is tried again."""

Json = dict[str, Any]
Tenant = ServiceConfig | MachineConfig
Typical = Callable[[str, str, str], Price | None]
"""The typical price of a GPU, at a cloud and in a currency (or empty); see ``advisor.gpus.priced``."""


class Terms:
    """``state`` takes what is configured now; ``run`` writes down what is new about it."""

    def __init__(self, journal: Journal, recorder: Recorder, typical: Typical) -> None:
        self._journal, self._recorder, self._typical = journal, recorder, typical
        self._settings: Settings | None = None
        self._stated = asyncio.Event()
        self._noted = asyncio.Event()

    def state(self, settings: Settings) -> None:
        self._settings = settings
        self._noted.clear()
        self._stated.set()

    async def noted(self, within: float) -> bool:
        """Wait until the recorder has all that is stated; false when that took longer than ``within``."""
        try:
            async with asyncio.timeout(within):
                await self._noted.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        known = await self._known()
        while True:
            await self._stated.wait()
            self._stated.clear()
            if self._settings is None:
                continue
            fresh = await asyncio.to_thread(entries, self._settings, known, self._typical)
            known |= {entry.service: entry.detail for entry in fresh}
            self._recorder.note(clock.now(), *fresh)
            if not self._stated.is_set():
                self._noted.set()

    async def _known(self) -> dict[str, Mapping[str, Any]]:
        """What was written down last, as soon as the journal can be read."""
        said = ""
        while True:
            try:
                return {event.service: event.detail for event in await self._journal.terms()}
            except StateError as error:
                if said != (said := str(error)):  # it is tried often, and told once
                    log.warning("prices are not written down now", error=said, hint=error.hint)
                await asyncio.sleep(AGAIN)


def entries(settings: Settings, known: Mapping[str, Mapping[str, Any]], typical: Typical) -> list[Entry]:
    """A line for each service and machine, and for the program, whose last line said something else."""
    currency = settings.currency or ""
    found = []
    tenants: dict[str, Tenant] = {**settings.machines, **settings.services}
    for name, tenant in tenants.items():
        price, trouble = price_of(tenant, currency, typical)
        if trouble:
            log.warning("price", service=name, what=trouble)
        detail: Json = {
            "price": None if price is None else price.as_json(),
            "on": tenant.on or "" if isinstance(tenant, ServiceConfig) else "",
            "kind": _kind(tenant),
            "place": _cloud(tenant) or tenant.run.provider,
        }
        said = trouble or price_text(price)
        if tenant.price is not None and tenant.price.since is not None:
            detail["since"] = start_of(tenant.price.since, settings.timezone)
            said += f", since {tenant.price.since:%Y-%m-%d %H:%M}"
        if known.get(name) != detail:
            found.append(Entry(Kind.TERMS, name, reason=said, detail=detail))
    whole = _whole(settings)
    if known.get("") != whole:
        found.append(Entry(Kind.TERMS, reason="what is paid for all of it", detail=whole))
    return found


def _kind(tenant: Tenant) -> str:
    if isinstance(tenant, MachineConfig):
        return "machine"
    return "job" if tenant.is_job else "service"


def _cloud(tenant: Tenant) -> str:
    """The cloud it is rented from, by the name of its description; empty when it is none of those."""
    return getattr(tenant.run.options, "cloud", None) or ""


def price_of(tenant: Tenant, currency: str, typical: Typical) -> tuple[Price | None, str]:
    """The price, and why there is none although one was meant. What the user states always wins."""
    if tenant.price is None:
        return None, ""
    stated = tenant.price.price(currency)
    if not stated.typical:
        return stated, ""
    found = typical(stated.gpu, _cloud(tenant), currency)
    if found is None:
        hint = "state per_hour; `poorwill gpus` lists those with a price"
        return None, f"nobody knows what an hour of {stated.gpu} costs: {hint}"
    return replace(found, step=stated.step, minimum=stated.minimum, gpu=stated.gpu, typical=True), ""


def _whole(settings: Settings) -> Json:
    currency = settings.currency or ""
    rates = exchanges(settings.exchange_rates)
    payers = (*settings.machines, *settings.services)
    costs = [one.cost(name, currency, settings.timezone).as_json() for name, one in settings.costs.items()]
    return {**Statement(currency, settings.timezone, rates, payers).as_json(), "costs": costs}
