"""Tells people how budgets stand: once for each mark and period, whatever restarts come in between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import structlog

from poorwill.control.recorder import Recorder
from poorwill.control.uncountable import Gap
from poorwill.core.budget import AtLimit, Budget, Standing, rounded, threshold, used_text
from poorwill.core.debt import Severity
from poorwill.core.localtime import day_of
from poorwill.core.model import Now
from poorwill.errors import StateError
from poorwill.store.journal import Entry, Event, Kind, read_only

ABOUT = "budget"
"""What such an alert is about, in the journal."""

_LOOKS_BACK = 62 * 86400.0
"""Seconds: the period before this one may have been a month too."""

_STATE_A_PRICE = "write price: {per_hour: 3.90}"

Name = tuple[str, str, str, str]
"""Payer, period, unit and what follows: what tells one budget of a file from another."""

log = structlog.get_logger()


class BudgetAlerts:
    """``_told`` is the highest mark told, by budget, limit and period; ``_shut`` the period in which a budget
    was used up, where more than words follows from that. ``_known``: payers whose past was read. ``_missed``:
    currencies that cannot be counted, told once in each life of the control plane.
    """

    def __init__(self, folder: Path, recorder: Recorder) -> None:
        self._folder = folder
        self._recorder = recorder
        self._told: dict[tuple[Name, str, str], float] = {}
        self._shut: dict[Name, str] = {}
        self._known: set[str] = set()
        self._missed: set[tuple[Name, str]] = set()
        self._unreadable = False

    async def remember(self, budgets: Iterable[Budget], now: Now) -> None:
        """What was told before this life of the control plane. Raises StateError."""
        payers = {budget.payer for budget in budgets} - self._known
        if payers:
            for event in await asyncio.to_thread(_past, self._folder, payers, now.wall - _LOOKS_BACK):
                self._remember(event)
            self._known |= payers

    def _remember(self, event: Event) -> None:
        detail = event.detail
        if detail.get("about") != ABOUT or "period" not in detail:
            return
        name = (event.service, str(detail["per"]), str(detail["unit"]), str(detail["at_limit"]))
        if detail["severity"] == Severity.NOTICE:
            self._shut.pop(name, None)
            return
        mark, period = float(detail["percent"]), str(detail["period"])
        self._told[name, str(detail["limit"]), period] = mark
        if mark >= 100 and detail["at_limit"] != AtLimit.WARN:
            self._shut[name] = period

    def mind(self, standings: Iterable[Standing], now: Now) -> None:
        """Tell what is new."""
        for standing in standings:
            if standing.is_of(now.wall) and standing.budget.payer in self._known:
                self._mind(standing, now)

    def _mind(self, standing: Standing, now: Now) -> None:
        budget, period = standing.budget, str(standing.period)
        name = _name(budget)
        if name in self._shut and not standing.is_spent(now.wall, now.mono):
            again = f"a new {budget.per} began" if self._shut.pop(name) != period else "it is not used up now"
            self._tell(standing, Severity.NOTICE, f"over: {again}: {_state(standing, now)}", "", now)
        self._mind_currencies(standing, name, now)
        mark = threshold(standing, now.mono)
        key = (name, str(budget.limit), period)
        if mark is None or mark <= self._told.get(key, 0.0):
            return
        self._told[key] = mark
        if mark >= 100 and budget.binds:
            self._shut[name] = period
        severity = Severity.ERROR if mark >= 100 else Severity.WARNING
        self._tell(
            standing,
            severity,
            _state(standing, now) + _follows(standing, mark, now),
            _hint(budget),
            now,
            mark,
        )

    def mind_gaps(self, gaps: Iterable[Gap], now: Now) -> None:
        """What can never be counted is told before anything is spent."""
        for gap in gaps:
            key = _name(gap.budget), gap.currency
            if key not in self._missed:
                self._missed.add(key)
                severity = Severity.ERROR if gap.budget.binds else Severity.WARNING
                detail = {"hint": gap.hint, "budget": str(gap.budget)}
                self._note(gap.budget.payer, severity, f"budget of {gap.budget}: {gap.what}", detail, now)

    def _mind_currencies(self, standing: Standing, name: Name, now: Now) -> None:
        budget = standing.budget
        for currency in standing.uncounted:
            if (name, currency) in self._missed:
                continue
            self._missed.add((name, currency))
            what = f"what was paid in {currency} does not count in"
            hint = f"say what it is worth: exchange_rates: {{{currency}: {{rate: ..., date: ...}}}}"
            if not currency:
                what, hint = "nobody knows what an hour costs, so nothing counts in", _STATE_A_PRICE
            detail = {"hint": hint, "budget": str(budget)}
            self._note(budget.payer, Severity.WARNING, f"{what} the budget of {budget}", detail, now)

    def cannot_read(self, error: Exception, now: Now) -> None:
        """Told once; then it is tried in silence."""
        if self._unreadable:
            return
        self._unreadable = True
        what, hint = f"{type(error).__name__}: {error}", "restore journal.db of the state folder from a copy"
        if isinstance(error, StateError):
            what, hint = str(error), error.hint
        reason = f"nobody knows what was spent, and budgets hold as they stood: {what}"
        self._note("", Severity.ERROR, reason, {"hint": hint}, now)

    def can_read(self, now: Now) -> None:
        if self._unreadable:
            self._unreadable = False
            self._note("", Severity.NOTICE, "over: it is known again what was spent", {"hint": ""}, now)

    def _tell(
        self, standing: Standing, severity: Severity, reason: str, hint: str, now: Now, mark: float = 0.0
    ) -> None:
        budget, forecast = standing.budget, standing.forecast_at(now.wall, now.mono)
        detail = {
            "budget": str(budget),
            "per": str(budget.per),
            "unit": budget.unit,
            "percent": mark,
            "used": str(rounded(standing.used_at(now.mono), budget.unit)),
            "limit": str(budget.limit),
            "forecast": None if forecast is None else str(rounded(forecast.amount, budget.unit)),
            "period": str(standing.period),
            "at_limit": str(budget.at_limit),
            "hint": hint,
        }
        self._note(budget.payer, severity, reason, detail, now)

    def _note(self, payer: str, severity: Severity, reason: str, detail: dict[str, Any], now: Now) -> None:
        write = {Severity.ERROR: log.error, Severity.WARNING: log.warning, Severity.NOTICE: log.info}
        write[severity]("alert", service=payer, about=ABOUT, reason=reason)
        told = {"severity": str(severity), "about": ABOUT, **detail}
        self._recorder.note(now, Entry(Kind.ALERT, payer, reason=reason, detail=told))


def _name(budget: Budget) -> Name:
    return budget.payer, str(budget.per), budget.unit, str(budget.at_limit)


def _past(folder: Path, payers: Iterable[str], since: float) -> list[Event]:
    with read_only(folder) as archive:
        return [event for payer in payers for event in archive.alerts(payer, since)]


def _state(standing: Standing, now: Now) -> str:
    budget = standing.budget
    used = used_text(standing.used_at(now.mono), budget.unit)
    whose = "" if budget.payer else " for everything together"
    return f"{standing.percent(now.mono):.0f}% of the budget of {budget}{whose} is used: {used}"


def _follows(standing: Standing, mark: float, now: Now) -> str:
    budget, forecast = standing.budget, standing.forecast_at(now.wall, now.mono)
    until = f"until {day_of(standing.period.stop, budget.zone)}, when the {budget.per} is over"
    if mark >= 100 and budget.at_limit is AtLimit.CLOSED:
        return f"; closed {until}"
    if mark >= 100 and budget.at_limit is AtLimit.NO_WAKE:
        return f"; requests wake nothing {until}"
    if forecast is None:
        return ""
    ahead = used_text(forecast.amount, budget.unit)
    return f"; at the end of the {budget.per} it will be about {ahead}"


def _hint(budget: Budget) -> str:
    what = budget.payer or "the file"
    return f"raise `budget` of {what} and say `poorwill reload`, or let it sleep more"
