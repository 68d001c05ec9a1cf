"""Which instant a local time is, on days when the clocks change too.

The rule: a time that the clocks skip is moved, and a time that they show twice is the first of the two.
*Starts* in the skipped hour happen at its end. *Stops* in it move on by the length skipped, so that what
began before keeps its length. What would begin and end in the skipped hour keeps its length from the hour's
end. Lines that happen every hour (``*`` or ``*/2`` as the hour) happen in both passes of a repeated hour.

Local times are datetimes without a zone; instants are seconds since the epoch.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MIDNIGHT = datetime.min.time()


def at(day: date, minute: int) -> datetime:
    """So many minutes after midnight, as the clock on the wall counts them; 1440 is the next midnight."""
    return datetime.combine(day, MIDNIGHT) + timedelta(minutes=minute)


def day_of(wall: float, zone: str) -> date:
    """The local date at an instant."""
    return local(wall, zone).date()


def local(wall: float, zone: str) -> datetime:
    """The local time at an instant, with its zone."""
    return datetime.fromtimestamp(wall, ZoneInfo(zone))


def stop_of(moment: datetime, zone: str) -> float:
    """The first pass; a skipped time moves on by the length skipped."""
    return moment.replace(tzinfo=ZoneInfo(zone)).timestamp()


def start_of(moment: datetime, zone: str) -> float:
    """The first pass; of a skipped time the end of the gap."""
    return gap_end(moment, zone) if skipped(moment, zone) > 0 else stop_of(moment, zone)


def second_pass(moment: datetime, zone: str) -> float | None:
    """The other instant of a time that the clocks show twice."""
    if skipped(moment, zone) >= 0:
        return None
    return moment.replace(tzinfo=ZoneInfo(zone), fold=1).timestamp()


def span(start: datetime, stop: datetime, zone: str) -> tuple[float, float]:
    """A window from one local time to a later one; never empty."""
    begins, ends = start_of(start, zone), stop_of(stop, zone)
    swallowed = skipped(start, zone) > 0 and (skipped(stop, zone) > 0 or ends <= begins)
    return begins, begins + (stop - start).total_seconds() if swallowed else ends


def skipped(moment: datetime, zone: str) -> float:
    """Seconds that the clocks jump over at this time; negative where they show it twice, mostly 0."""
    aware = moment.replace(tzinfo=ZoneInfo(zone))
    # PEP 495: in a gap fold=0 has the offset from before it, fold=1 the one from after it.
    before, after = aware.utcoffset(), aware.replace(fold=1).utcoffset()
    return (after - before).total_seconds() if before is not None and after is not None else 0.0


@lru_cache(maxsize=1024)
def gap_end(moment: datetime, zone: str) -> float:
    """The instant at which the clocks jump over this skipped time."""
    aware = moment.replace(tzinfo=ZoneInfo(zone))
    early, late = int(aware.replace(fold=1).timestamp()), int(aware.timestamp())
    return float(change_between(early, late, zone))


def change_between(early: int, late: int, zone: str) -> int:
    """The first second with the offset of ``late``, where only one change lies between the two."""
    offset = local(late, zone).utcoffset()
    while late - early > 1:
        middle = (early + late) // 2
        if local(middle, zone).utcoffset() == offset:
            late = middle
        else:
            early = middle
    return late
