"""On which terms somebody pays for a service or a machine, and since when."""

from __future__ import annotations

from dataclasses import dataclass

from poorwill.core.price import Price


@dataclass(frozen=True, slots=True)
class Terms:
    """A snapshot, in the journal from the moment that it was in force, so that a later price changes nothing
    about the past.

    ``since`` is seconds since the epoch on the ledger's axis. ``price`` None: nobody said what it costs.
    ``machine`` is what it runs on, empty for what runs elsewhere: a machine is paid for once, and what is on
    it shares that.
    """

    payer: str
    since: float
    price: Price | None = None
    machine: str = ""
    kind: str = "service"
    """``service``, ``job`` or ``machine``."""
    place: str = ""
    """Who is paid, or at least where it is: the cloud, or the provider that starts it."""
