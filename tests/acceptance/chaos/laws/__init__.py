"""What must hold however bad the day was. A file here with ``broken`` and ``spoiled`` is a law.

``broken(record)`` yields one sentence for each breach. ``spoiled(record)`` yields lawful records that were
doctored: each must be refused, or the law could not fail.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Protocol, cast

from tests.acceptance.chaos.record import Record


class Law(Protocol):
    """A module of this package."""

    __name__: str

    def broken(self, record: Record) -> Iterable[str]: ...

    def spoiled(self, record: Record) -> Iterable[Record]: ...


def all_laws() -> list[Law]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [cast(Law, importlib.import_module(f"{__name__}.{name}")) for name in names]


def breaches(record: Record) -> list[str]:
    """Of all laws; each begins with the name of the law."""
    return [
        f"{law.__name__.rpartition('.')[2]}: {words}" for law in all_laws() for words in law.broken(record)
    ]
