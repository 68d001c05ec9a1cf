"""Debts written down and told: one place that says what may cost money for nothing, and when that is over.

``alert`` in the journal is what a person has to be told, whatever it is about; who carries it to them (mail,
a chat) reads it there.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from poorwill.control.facts import Facts, Owing
from poorwill.control.recorder import Recorder
from poorwill.core.debt import Debt, Severity
from poorwill.core.model import Now
from poorwill.core.owed import Cause
from poorwill.store.journal import Entry, Kind

log = structlog.get_logger()


class Debts:
    """``_told_of``: which life of what others started was told last. Visits come and go; once is enough."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._told_of: dict[str, str] = {}

    def mind(self, facts: Facts, debt: Debt | None, now: Now) -> None:
        """Write down what is new about the debt of a service."""
        owing = facts.owing
        if owing is not None and not (debt is not None and _same(owing, debt)):
            self._settle(facts, owing, now)
        if debt is None:
            return
        if facts.owing is None:
            self._open(facts, debt, now)
        owing = facts.owing = replace(facts.owing or _owing(debt), reason=debt.reason, instance=debt.instance)
        if not owing.told and now.mono >= debt.alert_at:
            facts.owing = replace(owing, told=True)
            if owing.cause is not Cause.FOREIGN or self._told_of.get(facts.name) != _life(facts, owing):
                self._told_of[facts.name] = _life(facts, owing)
                self._tell(facts, debt.severity, debt.reason, owing, now)

    def _open(self, facts: Facts, debt: Debt, now: Now) -> None:
        facts.owing = _owing(debt)
        if facts.owing.counts:
            detail = {"cause": str(debt.cause), "since": _wall(debt.since, now)}
            self._recorder.note(now, Entry(Kind.DEBT, facts.name, debt.instance, debt.reason, detail))

    def _settle(self, facts: Facts, owing: Owing, now: Now) -> None:
        """The look that showed it ended the debt; until then it counts."""
        facts.owing = None
        seconds = round(now.mono - owing.since, 3)
        over = "it is gone" if not facts.there else "it is needed, or looked after, again"
        if owing.counts:
            detail = {"cause": str(owing.cause), "since": _wall(owing.since, now), "seconds": seconds}
            self._recorder.note(now, Entry(Kind.SETTLED, facts.name, owing.instance, over, detail))
        if owing.told and not (owing.cause is Cause.FOREIGN and facts.foreign):
            self._tell(facts, Severity.NOTICE, f"over after {seconds:.0f} s: {over}", owing, now)

    def _tell(self, facts: Facts, severity: Severity, reason: str, owing: Owing, now: Now) -> None:
        write = {Severity.ERROR: log.error, Severity.WARNING: log.warning, Severity.NOTICE: log.info}[
            severity
        ]
        seconds = round(now.mono - owing.since)
        write("alert", service=facts.name, about=str(owing.cause), reason=reason, seconds=seconds)
        detail = {
            "severity": str(severity),
            "about": str(owing.cause),
            "since": _wall(owing.since, now),
            "hint": hint(facts, owing),
        }
        self._recorder.note(now, Entry(Kind.ALERT, facts.name, owing.instance, reason, detail))


def hint(facts: Facts, owing: Owing) -> str:
    """What a person can do about a debt."""
    match owing.cause:
        case Cause.FOREIGN:
            return f"`poorwill adopt {facts.name}` lets Poorwill stop it, `adopt: true` always"
        case Cause.STOP:
            return facts.failure_hint or "look there by hand, it may cost money; it is tried again"
    return "look there by hand, it may cost money"


def _same(owing: Owing, debt: Debt) -> bool:
    return owing.cause is debt.cause and owing.instance in ("", debt.instance)


def _owing(debt: Debt) -> Owing:
    return Owing(debt.cause, debt.since, debt.reason, instance=debt.instance)


def _life(facts: Facts, owing: Owing) -> str:
    return facts.places[owing.instance].life


def _wall(mono: float, now: Now) -> float:
    return round(now.wall - (now.mono - mono), 3)
