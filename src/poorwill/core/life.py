"""One life of an instance as it is paid for: from when it may have begun to when its absence was seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Life:
    """``start`` and ``end`` are seconds since the epoch on the ledger's own axis (see ``core.ledger``), so
    that ``end - start`` is what went by whatever was done to the wall clock. ``end`` None: it goes on, or
    nobody knows that it is over.

    ``payer`` is the service or machine it belongs to. ``unconfirmed`` is for how many of its seconds nobody
    could tell whether it was there; they are counted, because it may have been. ``exact`` says that both
    ends are the provider's own timestamps.
    """

    payer: str
    instance: str
    start: float
    end: float | None = None
    unconfirmed: float = 0.0
    exact: bool = False
