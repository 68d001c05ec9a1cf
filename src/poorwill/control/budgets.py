"""Keeps track of how budgets stand: read from the journal about once a minute, and in between reckoned on.

It is read as well when something came or went, but not again and again where reading takes long: then it is
reckoned on with what is there now. Reading is done in a thread. What it found is left with the facts of each
service, where the loop reads it; as long as nothing was found, what a budget binds is not started
(``control.observation``). When the journal cannot be read, the last that was known stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from poorwill import clock
from poorwill.accounts import spent
from poorwill.accounts.spent import Read, Spent
from poorwill.control.budget_alerts import BudgetAlerts
from poorwill.control.facts import Facts
from poorwill.control.recorder import Recorder
from poorwill.control.uncountable import Gap
from poorwill.core.ahead import Going
from poorwill.core.bill import Line
from poorwill.core.budget import Budget, Standing
from poorwill.core.coming import Awake, changed, later
from poorwill.core.forecast import past_days
from poorwill.core.model import Condition, Now
from poorwill.core.period import Per, Period, period_from, period_of
from poorwill.core.spending import growth, uncounted, used
from poorwill.core.tariff import micros
from poorwill.errors import StateError

EVERY = 60.0
"""Seconds between two readings while nothing changes."""

SHARE = 20.0
"""It is read for a twentieth of the time at most: a long month of many services takes seconds."""

LOOK = 0.5
"""Seconds between two looks at what is there."""

AGAIN = 5.0
"""Seconds after which a reading that failed is tried again."""

WRITTEN_WITHIN = 5.0
"""Seconds for which a reading waits for what is still to be written."""

UNREADABLE = (
    StateError,
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    OSError,
    RuntimeError,
)
"""What reading a damaged journal may raise."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Reading:
    """``spent`` is what was found at ``now``, when ``awake`` was there; that took ``took`` seconds."""

    now: Now
    spent: Spent
    awake: Awake
    took: float


class Budgets:
    """``want`` says which budgets there are; ``nudge(service)`` is called when something new was found.
    ``noted(within)`` waits until the prices of what is configured now are on their way to the journal.

    ``_days`` are the bills of days that are over, for forecasts. ``_seen`` is what was there when it was last
    reckoned, and ``_ahead`` what went on then.
    """

    def __init__(
        self,
        folder: Path,
        recorder: Recorder,
        nudge: Callable[[str], None],
        read: Read = spent.read,
        noted: Callable[[float], Awaitable[bool]] | None = None,
    ) -> None:
        self._folder = folder
        self._recorder = recorder
        self._nudge = nudge
        self._read = read
        self._noted = noted
        self._alerts = BudgetAlerts(folder, recorder)
        self._budgets: tuple[Budget, ...] = ()
        self._reading: _Reading | None = None
        self._seen, self._seen_at = Awake(), 0.0
        self._ahead: Mapping[Period, tuple[Going, ...]] = {}
        self._days: dict[Period, tuple[Line, ...]] = {}
        self._standings: Mapping[Budget, Standing] = {}
        self._services: Mapping[str, Facts] = {}
        self._closed: set[Budget] = set()
        self._gaps: Sequence[Gap] = ()
        self._to_ask: Callable[[], Sequence[Gap]] | None = None
        self._failing = False
        self._due = 0.0
        self._changed = asyncio.Event()

    def want(self, budgets: Iterable[Budget], gaps: Callable[[], Sequence[Gap]] = list) -> None:
        """From now on these. What was read of a period before holds for them at once. ``gaps`` says, in a
        thread, what can never be counted in them.
        """
        self._budgets = tuple(dict.fromkeys(budgets))
        self._to_ask, self._gaps = gaps, ()
        self._reckon()
        self._due = 0.0
        self._changed.set()

    async def run(self, services: Mapping[str, Facts]) -> None:
        """``services`` are those in charge, whenever it is looked at."""
        self._services = services
        while True:
            self._changed.clear()
            if self._budgets and self._must_read(clock.now()):
                await self._renew()
            self._go_on(clock.now())
            self._publish()
            now = clock.now()
            self._wake_up(now)
            if not self._must_read(now):  # else what was read is not about those who are there now
                self._alerts.mind(self._standings.values(), now)
            try:
                async with asyncio.timeout(LOOK if self._budgets else None):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _must_read(self, now: Now) -> bool:
        reading = self._reading
        if now.mono >= self._due:
            return True
        if self._failing or reading is None:
            return False
        ended = any(not one.is_of(now.wall) for one in self._standings.values())
        unread = any(one not in self._standings for one in self._budgets)
        soon = now.mono < reading.now.mono + SHARE * reading.took
        return ended or unread or not (soon or self._as_read(there(self._services)))

    def _as_read(self, awake: Awake) -> bool:
        """Whether nothing came or went since it was read."""
        return self._reading is not None and awake.instances == self._reading.awake.instances

    def _go_on(self, now: Now) -> None:
        """Something came or went since the last reading: from now on with what is there."""
        awake = there(self._services)
        if self._reading is None or awake.instances == self._seen.instances:
            return
        gone, prices = micros(now.mono - self._seen_at), self._reading.spent.prices
        self._ahead = {
            period: changed(later(ahead, gone), self._seen, awake, prices)
            for period, ahead in self._ahead.items()
        }
        self._seen, self._seen_at = awake, now.mono
        self._standings = {
            budget: replace(
                one,
                used=one.used_at(now.mono),
                at=now.mono,
                growth=growth(budget, self._ahead.get(one.period, ())),
            )
            for budget, one in self._standings.items()
        }

    async def _renew(self) -> None:
        now, awake = clock.now(), there(self._services)
        if self._noted is not None:
            await self._noted(WRITTEN_WITHIN)
        await self._recorder.flush(WRITTEN_WITHIN)
        began = clock.now().mono
        try:
            await self._ask_for_gaps(now)
            periods = {period_of(one.per, now.wall, one.zone) for one in self._budgets}
            found = await asyncio.to_thread(self._read, self._folder, [*periods], now.wall)
            await self._alerts.remember(self._budgets, now)
            took = clock.now().mono - began
            self._reading = _Reading(now, found, awake, took)
            self._reckon()
            if days := self._days_to_come_to_know(found, now):
                past = await asyncio.to_thread(self._read, self._folder, days, now.wall)
                self._days |= past.lines
                self._reckon()
        except UNREADABLE as error:
            self._failing, self._due = True, clock.now().mono + AGAIN
            self._alerts.cannot_read(error, now)
            return
        self._failing = False
        self._due = now.mono + max(EVERY, SHARE * self._reading.took)
        self._alerts.can_read(now)

    async def _ask_for_gaps(self, now: Now) -> None:
        if self._to_ask is not None:
            ask, self._to_ask = self._to_ask, None
            self._gaps = await asyncio.to_thread(ask)
            self._alerts.mind_gaps(self._gaps, now)

    def _reckon(self) -> None:
        """How each budget stands by the last reading; those with a period that was not read have to wait."""
        if self._reading is None:
            return
        now, found = self._reading.now, self._reading.spent
        standings: dict[Budget, Standing] = {}
        for budget in self._budgets:
            period = period_of(budget.per, now.wall, budget.zone)
            if (lines := found.lines.get(period)) is None:
                continue
            since = found.known_since(budget.payer)
            known = (day for day in _days(now.wall, budget.zone, since) if day in self._days)
            past = tuple((day.first, used(budget, self._days[day])) for day in known)
            so_far, never = used(budget, lines), (gap.currency for gap in self._gaps if gap.budget == budget)
            missing = tuple(sorted({*uncounted(budget, lines), *never}))
            ahead = growth(budget, found.going.get(period, ()))
            standings[budget] = Standing(budget, period, so_far, now.mono, ahead, since, past, missing)
        self._standings, self._ahead = standings, found.going
        self._seen, self._seen_at = self._reading.awake, now.mono
        self._publish()

    def _days_to_come_to_know(self, found: Spent, now: Now) -> list[Period]:
        zones = {budget.zone for budget in self._budgets}
        wanted = [day for zone in zones for day in _days(now.wall, zone, found.known_since(""))]
        self._days = {day: lines for day, lines in self._days.items() if day in wanted}
        return [day for day in wanted if day not in self._days]

    def _wake_up(self, now: Now) -> None:
        """Whom a budget binds that is used up now, or is not any more. Mostly they know when that will be,
        but a part of a machine's bill becomes less, too, when others come.
        """
        closed = {budget for budget, one in self._standings.items() if one.is_spent(now.wall, now.mono)}
        turned, self._closed = closed ^ self._closed, closed
        for facts in self._services.values():
            if turned.intersection(facts.rules.budgets):
                self._nudge(facts.name)

    def _publish(self) -> None:
        for facts in self._services.values():
            if facts.standings is not self._standings:
                facts.standings = self._standings
                if facts.rules.budgets:
                    self._nudge(facts.name)


def there(services: Mapping[str, Facts]) -> Awake:
    """How many instances of each may be there, and what each is on. On a machine that is off is nothing."""
    counts: dict[str, int] = {}
    for name, facts in services.items():
        machine = services.get(facts.machine)
        gone = machine is not None and not machine.there
        places = () if gone else facts.places.values()
        counts[name] = sum(bool(one.intent) or one.condition is not Condition.ABSENT for one in places)
    return Awake(counts, {name: facts.machine for name, facts in services.items() if facts.machine})


def _days(wall: float, zone: str, since: float | None) -> list[Period]:
    return [period_from(Per.DAY, day, zone) for day in past_days(wall, zone, since)]
