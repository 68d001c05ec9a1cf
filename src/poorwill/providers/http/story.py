"""What a look at the cloud adds to what is known of an instance: a new life, and who began or ended it."""

from __future__ import annotations

from dataclasses import replace

from poorwill.config.units import format_duration
from poorwill.core.model import Condition
from poorwill.providers.http.lives import Record
from poorwill.providers.http.reading import Seen

START, STOP = "start", "stop"

DAY = 86_400.0


def follow(before: Record, seen: Seen, wall: float, settle: float) -> tuple[Record, str]:
    """The record after this look, and a line for the journal when somebody else did something.

    ``wall`` is now. An accepted start that the cloud does not show yet, within ``settle`` seconds, is
    neither forgotten nor taken for somebody's stop.
    """
    if seen.on:
        return _on(before)
    if seen.condition is not Condition.ABSENT:
        return before, ""
    if is_waiting(before, wall, settle):
        return before, ""
    now_off = replace(before, seen=True, on=False, asked="", off_since=before.off_since or wall)
    if before.on and not before.asked:
        return now_off, f"it is off ({seen.state}), and it was not Poorwill who stopped it"
    return now_off, ""


def is_waiting(record: Record, wall: float, settle: float, what: str = START) -> bool:
    """Whether this was asked for so lately that the cloud's status may not show it yet."""
    # abs: a clock that was set back does not make it wait for ever.
    return record.asked == what and abs(wall - record.asked_at) < settle


def deletion(record: Record, wall: float, kept_for: float | None) -> str:
    """A warning when the cloud is soon to delete what has been off for long; else empty."""
    if kept_for is None or record.off_since is None or record.on:
        return ""
    left = record.off_since + kept_for - wall
    if left > min(3 * DAY, kept_for / 4):
        return ""
    since = format_duration(max(0.0, wall - record.off_since))
    when = f"in about {format_duration(left)}" if left > 0 else "any moment now"
    return f"it has been off for {since}: the cloud deletes it {when} unless it is started once"


def _on(before: Record) -> tuple[Record, str]:
    is_new = before.asked == START or not before.on
    after = replace(before, life=before.life + is_new, seen=True, on=True, off_since=None)
    if before.asked == STOP:
        return after, ""
    somebody = before.seen and not before.on and not before.asked
    note = "it runs, and it was not Poorwill who started it" if somebody else ""
    return replace(after, asked=""), note
