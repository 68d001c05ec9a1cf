"""What fate can do. A file here with ``TROUBLES`` in it takes part: nothing else has to be told."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.acceptance.chaos.scene import Scene


@dataclass(frozen=True, slots=True)
class Trouble:
    """``strike`` returns when the trouble is over. ``possible`` says whether this scene has what it needs."""

    name: str
    strike: Callable[[Scene], Awaitable[None]]
    possible: Callable[[Scene], bool] = lambda _scene: True


def all_troubles() -> list[Trouble]:
    """In the order of their names, so that a seed always means the same."""
    found: list[Trouble] = []
    for module in pkgutil.iter_modules(__path__):
        found += importlib.import_module(f"{__name__}.{module.name}").TROUBLES
    return sorted(found, key=lambda trouble: trouble.name)
