"""How much GPU memory the services that say ``gpu:`` hold: nothing depends on it, a review wants to know.

Where a rule about load asks for it anyway (``control.gauges``) it is not asked twice. Nobody is told when it
cannot be measured; then it is tried again much later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from poorwill import clock
from poorwill.control.apply import Spawn
from poorwill.control.facts import Facts
from poorwill.control.usage import Usage
from poorwill.errors import ProviderError
from poorwill.providers.base import Shell

EVERY = 15.0
"""Seconds between two questions. What holds a model holds it all the time."""

AGAIN = 600.0
"""Seconds until somebody who could not tell is asked again."""

GIVEN_UP = 30.0
LOOK = 1.0

log = structlog.get_logger()


@dataclass(slots=True)
class _Known:
    """``asking`` says that a question is under way, ``due`` when the next one is."""

    value: float | None = None
    at: float = 0.0
    due: float = 0.0
    asking: bool = False


class Fullness:
    """``gauged(service)`` is what is measured of it for others; ``shell(machine)`` is where commands run."""

    def __init__(
        self, spawn: Spawn, shell: Callable[[str], Shell], gauged: Callable[[str], float | None]
    ) -> None:
        self._spawn = spawn
        self._shell = shell
        self._gauged = gauged
        self._known: dict[str, _Known] = {}

    def of(self, service: str) -> float | None:
        """Bytes, of the fullest card; None when nobody knows."""
        if (gauged := self._gauged(service)) is not None:
            return gauged
        known = self._known.get(service)
        fresh = known is not None and clock.now().mono - known.at <= 2 * EVERY
        return known.value if known is not None and fresh else None

    async def run(self, services: Mapping[str, Facts]) -> None:
        """``services`` are those in charge, whenever it is looked at."""
        while True:
            now = clock.now().mono
            for name, facts in services.items():
                if _can_tell(facts) and self._gauged(name) is None:
                    known = self._known.setdefault(name, _Known())
                    if not known.asking and known.due <= now:
                        known.asking = True
                        self._spawn(self._ask(facts, known))
                else:
                    self._known.pop(name, None)
            await asyncio.sleep(LOOK)

    async def _ask(self, facts: Facts, known: _Known) -> None:
        places = [place for place in facts.places.values() if place.runs and place.ready]
        pause = AGAIN
        try:
            async with asyncio.timeout(GIVEN_UP):
                known.value = await Usage(self._shell).value("gpu_memory", facts, places)
            pause = EVERY
        except (ProviderError, TimeoutError) as error:
            log.debug("nobody knows how full the GPU is", service=facts.name, why=str(error))
            known.value = None
        except Exception:  # a provider may be a third party's: its mistakes must not end the loop
            log.exception("how full the GPU is cannot be asked", service=facts.name)
            known.value = None
        finally:
            known.asking = False
        known.at = clock.now().mono
        known.due = known.at + pause


def _can_tell(facts: Facts) -> bool:
    """Whether it is on a card that can be asked, and there."""
    asks = facts.seat is not None and facts.seat.shell is not None
    return asks and any(place.runs and place.ready for place in facts.places.values())
