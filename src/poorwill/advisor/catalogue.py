"""Prices of GPUs as clouds publish them now: looked up in gpuhunt's catalogue when somebody asks for it.

gpuhunt is an extra (``poorwill[prices]``) and downloads its catalogue from the network. What was read is kept
in a folder of the user, with the time of each provider; that is used until somebody wants newer ones. Nothing
that runs needs any of this. Blocking, and imported only by ``poorwill prices``.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

from poorwill.advisor.gpus import called
from poorwill.errors import PoorwillError

FRESH = 7 * 86_400.0
"""Seconds for which what was read is used without being asked."""
INSTALL = "pip install 'poorwill[prices]'"
_FORMAT = 1
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Offer:
    """``per_hour`` is in USD, for one GPU: the instance's price divided by its GPUs. ``memory`` in GB."""

    provider: str
    gpu: str
    memory: int
    per_hour: str
    instance: str
    region: str
    spot: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """``read`` is when each provider was read, in seconds since the epoch."""

    offers: tuple[Offer, ...] = ()
    read: Mapping[str, float] | None = None

    @property
    def providers(self) -> dict[str, float]:
        return dict(self.read or {})

    def of(self, gpu: str, provider: str | None = None) -> list[Offer]:
        """The cheapest first. The GPU's name is taken as people write it."""
        wanted = called(gpu)
        found = [
            offer
            for offer in self.offers
            if provider in (None, offer.provider)
            and called(offer.gpu).key == wanted.key
            and wanted.memory in (None, offer.memory)
        ]
        return sorted(found, key=lambda offer: (Decimal(offer.per_hour), offer.provider))


def folder(env: Mapping[str, str] = os.environ) -> Path:
    """Where it is kept: ``$XDG_CACHE_HOME/poorwill``, else ``~/.cache/poorwill``."""
    base = env.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "poorwill"


def kept(place: Path) -> Catalogue:
    """What was read before; empty when nothing was, or what is there cannot be understood."""
    try:
        known = json.loads((place / "prices.json").read_text(encoding="utf-8"))
        if known["format"] != _FORMAT:
            return Catalogue()
        read = {str(name): float(at) for name, at in known["read"].items()}
        return Catalogue(tuple(Offer(**offer) for offer in known["offers"]), read)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Catalogue()  # it is only a cache: the next look-up writes it anew


def keep(place: Path, catalogue: Catalogue) -> None:
    """In one step, so that nobody reads half of it. Raises OSError."""
    place.mkdir(parents=True, exist_ok=True)
    offers = [asdict(offer) for offer in catalogue.offers]
    text = json.dumps({"format": _FORMAT, "read": catalogue.providers, "offers": offers})
    fresh = place / f"prices.json.{os.getpid()}"
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(place / "prices.json")


def look_up(before: Catalogue, now: float) -> Catalogue:
    """The newest. Providers that could not be read are as they were ``before``.

    Raises PoorwillError without the extra, and when nothing could be read.
    """
    try:
        import gpuhunt
    except ImportError as error:
        raise PoorwillError(
            "newer prices are looked up with gpuhunt, which is not installed", hint=f"install it: {INSTALL}"
        ) from error
    catalogue = gpuhunt.Catalog(auto_reload=False)
    with _patiently(), _quietly():
        try:
            catalogue.load()
            items = catalogue.query(min_gpu_count=1)
        except (gpuhunt.GPUHuntError, OSError) as error:
            cause = error.__cause__ or error
            why = cause.reason if isinstance(cause, URLError) else cause
            raise PoorwillError(
                f"newer prices could not be read: {why}", hint="is there a network?"
            ) from error
    fresh = _cheapest(items)
    read = {offer.provider for offer in fresh}
    old = [offer for offer in before.offers if offer.provider not in read]
    return Catalogue((*fresh, *old), {**before.providers, **dict.fromkeys(sorted(read), now)})


def day(at: float) -> str:
    """The day of a time, in UTC, as prices are dated."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


def _cheapest(items: Sequence[Any]) -> list[Offer]:
    """One offer for each provider, GPU and kind (on demand or spot): that of the cheapest region."""
    best: dict[tuple[Any, ...], Any] = {}
    for item in items:
        if not item.gpu_name or not item.gpu_memory or not item.gpu_count or item.price <= 0:
            continue
        key = (item.provider, item.gpu_name, round(item.gpu_memory), item.spot)
        if key not in best or _each(item) < _each(best[key]):
            best[key] = item
    return [
        Offer(provider, gpu, memory, f"{_each(item):f}", item.instance_name, item.location, spot)
        for (provider, gpu, memory, spot), item in best.items()
    ]


def _each(item: Any) -> Decimal:
    price: Decimal = Decimal(repr(item.price)) / item.gpu_count
    return round(price, 4).normalize()


@contextmanager
def _patiently() -> Iterator[None]:
    """Without it gpuhunt would wait for ever for an answer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without it gpuhunt logs a traceback for each provider that could not be read; we say which are old."""
    logger, closing = logging.getLogger("gpuhunt"), _Closing()
    before = logger.propagate
    logger.propagate = False
    logger.addHandler(closing)
    try:
        yield
    finally:
        logger.removeHandler(closing)
        logger.propagate = before


class _Closing(logging.Handler):
    """An answer such as 404 is an open connection until somebody closes it; gpuhunt only logs it."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HTTPError):
            error.close()
