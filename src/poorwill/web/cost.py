"""What it costs, for the admin API and for ``status``: read from the journal, beside the loop."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from poorwill import clock
from poorwill.accounts.account import account, as_json, side_by_side
from poorwill.accounts.asked import asked, current
from poorwill.accounts.books import read, stated
from poorwill.core.period import Per
from poorwill.errors import PoorwillError

log = structlog.get_logger()

Json = dict[str, Any]
Costs = Mapping[str, list[Json]]

FRESH = 5.0
"""Seconds for which what was read is good enough for ``status``."""
SHARE = 20.0
"""It is read for a twentieth of the time at most: with many services that takes a while."""
PATIENCE = 1.0
"""Seconds that ``status`` waits for a journal that is slow to read."""


def answer(folder: Path, times: Mapping[str, str], name: str) -> Json:
    """What ``poorwill cost --format json`` prints. Blocks; raises BadInput for times that make no sense."""
    now, (statement, _) = clock.now().wall, stated(folder)
    one = asked(now, statement.zone, **times)
    wanted = [one] if one else [current(per, now, statement.zone) for per in Per]
    books = read(folder, min(time.start for time in wanted), max(time.stop for time in wanted), now)
    return side_by_side([as_json(account(books, time, name)) for time in wanted])


class Today:
    """What each service cost since midnight; ``folder`` is the state folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: Costs = {}
        self._again_at = float("-inf")
        self._began = 0.0
        self._reading: asyncio.Future[Costs] | None = None

    async def costs(self) -> Costs:
        """By name, an amount for each currency; empty where no price is known, or nothing can be read.

        Of a machine it is the whole, with the parts of what is on it.
        """
        now = clock.now().mono
        if self._reading is None and now >= self._again_at:
            self._began = now
            self._reading = asyncio.get_running_loop().run_in_executor(None, _costs, self._folder)
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=PATIENCE)
            self._take()
        return self._known

    def _take(self) -> None:
        reading = self._reading
        if reading is None or not reading.done():
            return
        now = clock.now().mono
        self._reading, self._again_at = None, now + max(FRESH, SHARE * (now - self._began))
        try:
            self._known = reading.result()
        except PoorwillError as error:
            log.warning("what it costs cannot be told now", error=str(error), hint=error.hint)
        except Exception:  # a damaged journal may say anything: what runs must be told all the same
            log.exception("what it costs cannot be told now")


def _costs(folder: Path) -> Costs:
    now, (statement, terms) = clock.now().wall, stated(folder)
    if not any(one.price for one in terms):
        return {}
    day = current(Per.DAY, now, statement.zone)
    told = as_json(account(read(folder, day.start, day.stop, now), day))
    found: dict[str, list[Json]] = defaultdict(list)
    for line in (*told["services"], *told["machines"]):
        amount = line["amount"] if line.get("whole") is None else line["whole"]
        if amount is not None:
            found[line["name"]].append({"amount": amount, "currency": line["currency"]})
    return found
