"""Every zone of the database by how its clocks go, and an oracle that watches a clock, minute by minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

FIRST = date(2026, 1, 1)
LAST = date(2036, 1, 1)
DAY = timedelta(days=1)
Shape = tuple[int, tuple[tuple[int, int], ...]]


@dataclass(frozen=True)
class Clock:
    """``changes`` are (instant, seconds from UTC from then on); zones with equal clocks are one."""

    offset: int
    changes: tuple[tuple[int, int], ...]

    def offset_at(self, instant: float) -> int:
        before = [offset for at, offset in self.changes if at <= instant]
        return before[-1] if before else self.offset

    def near(self, day: date) -> Shape:
        """How the clock goes from two days before this midnight (as UTC has it) to three after it."""
        begin = _utc(day) - 2 * 86400
        changes = ((at - begin, offset) for at, offset in self.changes if begin < at < begin + 5 * 86400)
        return self.offset_at(begin), tuple(changes)


@cache
def clocks() -> dict[Clock, list[str]]:
    found: dict[Clock, list[str]] = {}
    for zone in sorted(available_timezones()):
        found.setdefault(_clock(zone), []).append(zone)
    return found


def _clock(zone: str) -> Clock:
    begin, end = (int(datetime(day.year, 1, 1, tzinfo=UTC).timestamp()) for day in (FIRST, LAST))
    week, changes = 7 * 86400, []
    first = last = _offset(zone, begin - week)
    for instant in range(begin, end + 2 * week, week):
        if (now := _offset(zone, instant)) != last:
            early, late = instant - week, instant
            while late - early > 1:
                middle = (early + late) // 2
                early, late = (early, middle) if _offset(zone, middle) == now else (middle, late)
            changes.append((late, now))
        last = now
    return Clock(first, tuple(changes))


def _offset(zone: str, instant: int) -> int:
    offset = datetime.fromtimestamp(instant, ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def expected(clock: Clock, day: date, start: int, stop: int) -> tuple[int, int]:
    """The window of a day in instants; ``start`` and ``stop`` in minutes after midnight."""
    begin = _utc(day) - 2 * 86400
    opens, closes = _watched(clock.near(day), start, stop)
    return begin + opens, begin + closes


def _utc(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@cache
def _shown(shape: Shape) -> list[tuple[int, int]]:
    """What the clock shows each minute: (seconds since the begin, minutes since the begin's UTC midnight)."""
    offset, changes = shape
    minutes = []
    for second in range(0, 5 * 86400, 60):
        passed = [after for at, after in changes if at <= second]
        minutes.append((second, (second + (passed[-1] if passed else offset)) // 60))
    return minutes


@cache
def _watched(shape: Shape, start: int, stop: int) -> tuple[int, int]:
    begins, ends = (2 * 1440 + minute for minute in (start, stop))
    minutes = _shown(shape)
    readings = {reading for _, reading in minutes}
    opens = next(second for second, reading in minutes if reading >= begins)
    closes = next(second for second, reading in minutes if reading >= ends)
    skipped = [begins not in readings, ends not in readings]
    if skipped[0] and (skipped[1] or closes <= opens):
        return opens, opens + (stop - start) * 60
    if skipped[1]:
        before = max(reading for second, reading in minutes if second < closes and reading < ends)
        closes += (ends - before - 1) * 60
    return opens, closes
