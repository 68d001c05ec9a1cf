"""A timetable that has been: its openings one by one, so that single ones can be changed and played again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from poorwill.core.schedule import Hours, Opening, Timetable


@dataclass(frozen=True, slots=True)
class Past(Timetable):
    """``known`` are in order and do not overlap; before and after them nothing opens."""

    known: tuple[Opening, ...] = ()

    def hours(self, wall: float) -> Hours:
        """As the timetable it stands for."""
        current = next((one for one in self.known if one.start <= wall and wall < _stop(one)), None)
        following = next((one for one in self.known if one.start > wall), None)
        change_at = current.stop if current else following.start if following else None
        return Hours(current, following, change_at)


def past(timetable: Timetable | None, zone: str, since: float, until: float) -> Past:
    """What was open in this time."""
    if timetable is None or not timetable.has_windows:
        return Past(zone)
    days = int((until - since) // 86400) + 2
    found = (one for one in timetable.openings(since, days) if one.start < until)
    return Past(timetable.zone, runs=timetable.runs, known=tuple(found))


def with_openings(known: Past, openings: Iterable[Opening]) -> Past:
    """The same with these openings; those that overlap are one."""
    joined: list[Opening] = []
    for one in sorted(openings, key=lambda opening: opening.start):
        if one.stop is not None and one.stop <= one.start:
            continue
        if joined and one.start <= _stop(joined[-1]):
            last = joined[-1]
            stop = None if last.stop is None or one.stop is None else max(last.stop, one.stop)
            joined[-1] = Opening(last.start, stop, last.text, last.led)
        else:
            joined.append(one)
    return Past(known.zone, runs=known.runs, known=tuple(joined))


def _stop(opening: Opening) -> float:
    return float("inf") if opening.stop is None else opening.stop
