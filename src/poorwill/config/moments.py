"""What an entry of a schedule says about time, and the rule that it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from poorwill.config.cron import parse_cron
from poorwill.config.hours import parse_hours, parse_times, time_text
from poorwill.core.cron import Cron
from poorwill.core.pattern import Dated, Pair, Pattern, Spell, Starts, Weekly
from poorwill.core.rule import Rule

Moment = Cron | int
"""A cron line, or a time of the day in minutes after midnight."""


@dataclass(frozen=True, slots=True)
class Moments:
    """One entry with its values understood, before it is known whether they go together."""

    hours: str | None = None
    start: Cron | None = None
    stop: Cron | None = None
    ready_by: Moment | None = None
    until: Literal["done", "idle"] | None = None
    missed: Literal["run", "skip"] = "run"
    holidays: tuple[str, ...] = ()
    excepted: tuple[date, ...] = ()
    added: tuple[date, ...] = ()
    date: date | None = None
    closed: bool = False

    @property
    def repeats(self) -> bool:
        """Whether it says windows, and more than once."""
        return self.until is None and self.date is None

    @property
    def begins(self) -> Cron | None:
        """The line of the starts, where there is one: ``start``, or what ``ready_by`` stands for."""
        if isinstance(self.ready_by, int) and self.stop is not None:
            return on_days_of(self.stop, self.ready_by)
        return self.ready_by if isinstance(self.ready_by, Cron) else self.start

    @property
    def spells(self) -> tuple[Spell, ...]:
        """The parts of ``hours``, each begun by ``ready_by`` where there is one."""
        spells = parse_hours(self.hours or "")
        if isinstance(self.ready_by, int):
            return tuple(replace(spell, start=self.ready_by) for spell in spells)
        return spells

    @property
    def rule(self) -> Rule:
        """For an entry whose values go together and that is not only a closed date."""
        if self.date is not None:
            pattern: Pattern = Dated(self.date, parse_times(self.hours or ""))
            return Rule(self.text, pattern, added=frozenset({self.date}))
        return Rule(
            self.text,
            self._pattern(),
            led=self.ready_by is not None,
            holidays=self.holidays,
            excepted=frozenset(self.excepted),
            added=frozenset(self.added),
        )

    def _pattern(self) -> Pattern:
        if self.hours is not None:
            return Weekly(self.spells)
        begins = self.begins
        if begins is None:
            raise AssertionError("an entry without hours has a start")
        return Pair(begins, self.stop) if self.stop is not None else Starts(begins)

    @property
    def text(self) -> str:
        """The entry as it is named in reasons and errors."""
        if self.hours is not None:
            hours = " ".join(self.hours.split())
            named = f"{self.date} {hours}" if self.date else hours
            return f"{named}, ready by {moment_text(self.ready_by)}" if self.ready_by is not None else named
        first = f"ready by {moment_text(self.ready_by)}" if self.ready_by is not None else ""
        first = self.start.text if self.start else first
        return f"{first} to {self.stop.text}" if self.stop else first


def on_days_of(line: Cron, minute: int) -> Cron:
    """A line with the days of another one, and this time."""
    return Cron(" ".join([str(minute % 60), str(minute // 60), *line.fields[2:]]))


def parse_moment(value: object) -> Moment:
    """``9:00`` or a cron line; YAML takes 9:00 for text."""
    from poorwill.config.hours import parse_time

    if isinstance(value, str) and ":" in value and " " not in value.strip():
        return parse_time(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else parse_cron(value)


def moment_text(moment: Moment) -> str:
    """As people write it."""
    return time_text(moment) if isinstance(moment, int) else moment.text
