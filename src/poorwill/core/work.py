"""Work that no request shows, as a ``busy`` probe tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class BusyRule:
    """How long a busy probe may put off the sleep. ``every`` is the pause between two questions while it
    does, ``at_most`` its whole say, ``unknown_at_most`` its say while it cannot tell. All in seconds.
    """

    every: float = 30.0
    at_most: float = 14_400.0
    unknown_at_most: float = 600.0


class Says(StrEnum):
    BUSY = "busy"
    FREE = "free"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said to one question (monotonic: when it was begun and when answered).

    ``words`` says why, for people; ``since`` is when the first of an unbroken row of answers of this kind
    came.
    """

    says: Says
    words: str
    asked_at: float
    answered_at: float
    since: float


@dataclass(frozen=True, slots=True)
class Work:
    """``held_since`` is since when the sleep is put off without anybody needing the service in between;
    ``asking`` says that a question is under way.
    """

    answer: Answer | None = None
    asking: bool = False
    held_since: float | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Why the sleep has to wait, and until when at the longest (monotonic). ``ask`` wants a new answer now,
    else one is wanted at ``ask_at``.

    An empty ``why`` puts off nothing; ``overruled`` then names what the probe says all the same.
    """

    why: str = ""
    until: float | None = None
    ask: bool = False
    ask_at: float | None = None
    overruled: str = ""
