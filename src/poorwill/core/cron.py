"""Cron lines: on which days, and at which minutes of such a day.

cronsim reads the line and knows the days (``L``, ``LW``, ``#``, Debian's rule for two day fields). A line has
the same times on every day that it names, so nothing has to be walked through minute by minute. Everything
here is local time as it stands on the clock; ``core.localtime`` says which instant that is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from cronsim import CronSim, CronSimError

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_ANY_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - local time, see above


def five_fields(text: str) -> list[str]:
    """The fields of a line, of an alias those that it stands for; not checked."""
    return ALIASES.get(text.strip().lower(), text).upper().split()


def possible(fields: list[str]) -> bool:
    """Whether these five fields are a line that some day fulfils: not the 30th of February."""
    try:
        CronSim(" ".join(fields), _ANY_DAY)
    except (CronSimError, AssertionError, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Cron:
    """A line of five fields, known to be possible; raises CronSimError otherwise.

    ``fields`` are in capitals. ``minutes`` are the minutes after midnight, ascending. ``every_hour``: the
    hour field is a wildcard (``*``, ``*/2``). ``weekly``: only the day of the week says which days.
    """

    text: str
    fields: tuple[str, ...] = field(init=False, compare=False, repr=False)
    minutes: tuple[int, ...] = field(init=False, compare=False, repr=False)
    every_hour: bool = field(init=False, compare=False, repr=False)
    names_weekdays: bool = field(init=False, compare=False, repr=False)
    weekly: bool = field(init=False, compare=False, repr=False)
    _line: CronSim = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        fields = five_fields(self.text)
        line = CronSim(" ".join(fields), _ANY_DAY)
        minutes = sorted(hour * 60 + minute for hour in line.hours for minute in line.minutes)
        weekday = fields[4]
        known = {
            "fields": tuple(fields),
            "minutes": tuple(minutes),
            "every_hour": fields[1].startswith("*"),
            "names_weekdays": not weekday.startswith("*"),
            "weekly": fields[2] == fields[3] == "*" and not {"L", "#"}.intersection(weekday),
            "_line": line,
        }
        for name, value in known.items():
            object.__setattr__(self, name, value)

    def on(self, day: date) -> bool:
        """Whether this is one of its days."""
        return day.month in self._line.months and self._line.match_day(day)
