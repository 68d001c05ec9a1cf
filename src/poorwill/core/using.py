"""From looks at what visitors do to stretches of use that are worth a line in the journal.

A stretch is over when nobody was active for a minute. While it goes on a part of it is written every ten
minutes, which begins where the part before ended: a crash loses what was not written yet, and a reader joins
the parts with ``core.stretch.joined``. So a service has 1,440 lines a day at the very most (somebody for a
moment each minute and a bit), and 144 while it is used all the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from poorwill.core.model import Now
from poorwill.core.stretch import GAP, Stretch
from poorwill.core.waits import Waits


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: after how long without anybody a stretch is over, and how often a part of it is written."""

    gap: float = GAP
    write_every: float = 600.0


@dataclass(frozen=True, slots=True)
class Use:
    """What was done since the last look. ``answered`` are requests, ``first_at`` and ``last_at`` the first
    and the last moment that counts as use (monotonic), None when there was none. ``waiting`` are those who
    wait for a start now, ``gpu_memory`` what is in use of it, in bytes.
    """

    answered: int = 0
    first_at: float | None = None
    last_at: float | None = None
    waits: Waits = field(default_factory=Waits)
    waiting: int = 0
    gpu_memory: int | None = None


@dataclass(frozen=True, slots=True)
class Going:
    """A stretch that goes on, as far as it is not written yet; times are monotonic.

    ``alive_at`` is when somebody was last active or waiting: who waits ends no break, and yet keeps the
    stretch from being over. ``begins`` says that no part of it was written before.
    """

    start: float
    last: float
    alive_at: float
    written_at: float
    begins: bool = True
    answered: int = 0
    waits: Waits = field(default_factory=Waits)
    gpu_memory: int | None = None

    @property
    def says_something(self) -> bool:
        return bool(self.begins or self.answered or self.waits or self.last > self.start)


def read(
    service: str, going: Going | None, use: Use, now: Now, pace: Pace | None = None
) -> tuple[Going | None, tuple[Stretch, ...]]:
    """Take in one look: what goes on after it, and what is to be written."""
    pace = pace or Pace()
    first, last = _moments(use, now)
    written: tuple[Stretch, ...] = ()
    if going is not None and (first or now.mono) - going.alive_at > pace.gap:
        written, going = end(service, going, now), None
    if going is None and first is not None:
        going = Going(first, first, first, written_at=now.mono)
    if going is None:
        return None, written
    going = _with(going, use, last, now)
    if now.mono - going.written_at >= pace.write_every:
        written += end(service, going, now)
        going = Going(going.last, going.last, going.alive_at, now.mono, begins=False)
    return going, written


def end(service: str, going: Going, now: Now) -> tuple[Stretch, ...]:
    """What is to be written of a stretch that is over or interrupted; nothing when all was written."""
    if not going.says_something:
        return ()
    ahead, waits = now.wall - now.mono, going.waits
    return (
        Stretch(
            service,
            start=round(going.start + ahead, 3),
            end=round(going.last + ahead, 3),
            requests=going.answered,
            waited=waits.waited,
            wait_seconds=round(waits.seconds, 3),
            longest_wait=round(waits.longest, 3),
            gave_up=waits.gave_up,
            refused=waits.refused,
            gpu_memory=going.gpu_memory,
        ),
    )


def _moments(use: Use, now: Now) -> tuple[float | None, float | None]:
    """The first and the last one; something was done in any case when something was counted."""
    if use.first_at is not None and use.last_at is not None:
        return use.first_at, use.last_at
    done = now.mono if use.answered or use.waits else None
    return done, done


def _with(going: Going, use: Use, last: float | None, now: Now) -> Going:
    """An answer to what was begun before the stretch could be written is part of what comes next."""
    latest = going.last if last is None else max(going.last, last)
    peaks = [peak for peak in (going.gpu_memory, use.gpu_memory) if peak is not None]
    return replace(
        going,
        last=latest,
        alive_at=now.mono if use.waiting else max(going.alive_at, latest),
        answered=going.answered + use.answered,
        waits=going.waits.plus(use.waits),
        gpu_memory=max(peaks, default=None),
    )
