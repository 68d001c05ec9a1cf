"""The ``schedule:`` of a service, as people write it, and the timetable it makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from poorwill.config.clashes import clashes
from poorwill.config.complaint import all_of, expected
from poorwill.config.cron import parse_cron
from poorwill.config.days import Countries, Day, Days
from poorwill.config.entry import entry_complaints
from poorwill.config.moments import Moment, Moments, moment_text, parse_moment
from poorwill.core.cron import Cron
from poorwill.core.run import Run
from poorwill.core.schedule import Timetable

_HOURS = {"type": "string", "minLength": 1, "examples": ["Mon-Fri 09:00-18:00"]}
_CRON = {"type": "string", "minLength": 1, "examples": ["0 9 * * 1-5"]}

Hours = Annotated[str, WithJsonSchema(_HOURS)]
CronLine = Annotated[
    Cron, PlainValidator(parse_cron), PlainSerializer(lambda line: line.text), WithJsonSchema(_CRON)
]
ReadyBy = Annotated[
    Moment,
    PlainValidator(parse_moment),
    PlainSerializer(moment_text),
    WithJsonSchema({"type": "string", "minLength": 1, "examples": ["9:00", "0 9 * * 1-5"]}),
]


class ScheduleEntry(BaseModel):
    """When the service is awake by itself. In place of an entry its hours alone may stand."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    hours: Hours | None = Field(
        default=None,
        description="Days and times, such as Mon-Fri 09:00-18:00. Several are separated by commas; one that "
        "ends before it begins runs past midnight. Beside date only times.",
    )
    start: CronLine | None = Field(
        default=None,
        description="Cron line of the starts: minute, hour, day of the month, month, day of the week.",
    )
    stop: CronLine | None = Field(
        default=None, description="Cron line of the ends; the first one after a start ends its window."
    )
    ready_by: ReadyBy | None = Field(
        default=None,
        description="In place of start, or of the times at which hours begin: when the service is to be "
        "ready. It is started as much earlier as its wakes take. A time of the day, or a cron line.",
    )
    until: Literal["done", "idle"] | None = Field(
        default=None,
        description="In place of stop. done: a job, asleep again when it has ended by itself. idle: asleep "
        "again when nobody uses it.",
    )
    missed: Literal["run", "skip"] = Field(
        default="run",
        description="Beside until: what becomes of a start at which Poorwill was not there. run: the latest "
        "one is made up for, once. skip: nothing.",
    )
    holidays: Countries = Field(
        default=(),
        description="Countries on whose public holidays nothing begins, such as CN or DE-BY. Their make-up "
        "workdays count as days from Monday to Friday.",
    )
    except_: Days = Field(default=(), alias="except", description="Dates on which nothing begins.")
    also: Days = Field(default=(), description="Dates on which it begins as on its other days.")
    date: Day | None = Field(
        default=None, description="A date, for an entry that holds once: with hours, or with closed: true."
    )
    closed: bool = Field(default=False, description="Nothing is open on this date, except its own hours.")

    @property
    def moments(self) -> Moments:
        """What the entry says, for the rules about it."""
        return Moments(
            hours=self.hours,
            start=self.start,
            stop=self.stop,
            ready_by=self.ready_by,
            until=self.until,
            missed=self.missed,
            holidays=self.holidays,
            excepted=self.except_,
            added=self.also,
            date=self.date,
            closed=self.closed,
        )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if found := entry_complaints(self.moments):
            raise all_of(found)
        return self


def _entry(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | list):
        raise expected("hours such as Mon-Fri 09:00-18:00, or keys such as start and stop")
    return {"hours": value} if isinstance(value, str) else value


def _entries(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        raise expected("hours such as Mon-Fri 09:00-18:00, or a list of entries")
    return value if isinstance(value, list | tuple) else [value]


def _fit_together(entries: tuple[ScheduleEntry, ...]) -> tuple[ScheduleEntry, ...]:
    if found := clashes([entry.moments for entry in entries]):
        raise all_of(found)
    return entries


Item = Annotated[ScheduleEntry, BeforeValidator(_entry, json_schema_input_type=Hours | ScheduleEntry)]
Schedule = Annotated[
    tuple[Item, ...],
    BeforeValidator(_entries, json_schema_input_type=Item | list[Item]),
    AfterValidator(_fit_together),
]


def timetable(schedule: Sequence[ScheduleEntry], zone: str) -> Timetable | None:
    """None when nothing is scheduled."""
    entries = [entry.moments for entry in schedule]
    if not entries:
        return None
    closed = frozenset(entry.date for entry in entries if entry.date and entry.closed)
    return Timetable(
        zone=zone,
        rules=tuple(entry.rule for entry in entries if entry.repeats),
        dates=tuple(entry.rule for entry in entries if entry.date and not entry.closed),
        closed=closed,
        runs=tuple(
            Run(entry.until, entry.missed, entry.rule, zone, closed) for entry in entries if entry.until
        ),
    )
