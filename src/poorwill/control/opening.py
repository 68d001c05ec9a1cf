"""What the page of a service that stays asleep says about when it opens again."""

from __future__ import annotations

from poorwill.control.facts import Facts
from poorwill.core import spent
from poorwill.core.hours import OpeningHours
from poorwill.core.model import Now


def opening_hours(facts: Facts, rule: str, now: Now) -> OpeningHours | None:
    """What visitors are told about when it opens."""
    if (told := spent.hours(facts.rules, facts.bounds, rule, now)) is not None:
        return told
    table = facts.rules.timetable
    if table is None or not table.has_windows:
        return None
    return OpeningHours(table.zone, tuple((one.start, one.stop) for one in table.openings(now.wall)))
